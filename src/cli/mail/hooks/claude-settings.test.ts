import assert from "node:assert/strict";
import { test } from "node:test";
import { isWarrenError } from "../../../protocol/errors.ts";
import { ourHooks, type WantedHook, withHooks, withoutHooks } from "./claude-settings.ts";
import { unifiedDiff } from "./line-diff.ts";

const PATH = "/p/.claude/settings.json";
const WANTED: WantedHook[] = [
  { event: "SessionStart", command: "/h/mail/warren-mail-hook claude", timeout: 30 },
  { event: "SessionStart", command: "/h/mail/warren-mail-hook claude wake", timeout: 600, asyncRewake: true },
  { event: "Stop", command: "/h/mail/warren-mail-hook claude", timeout: 5 },
];

const other = (command: string): object => ({ hooks: [{ type: "command", command }] });

/** Settings as people have them. Removing gives back exactly this text. */
const EXACT: Record<string, string> = {
  "keys before and behind": '{\n  "model": "opus",\n  "env": { "A": "1" }\n}\n',
  "tabs, no last line end": '{\n\t"model": "opus",\n\t"permissions": {\n\t\t"allow": ["Bash(ls:*)"]\n\t}\n}',
  CRLF: '{\r\n    "model": "opus"\r\n}\r\n',
  "one line": '{"model":"opus","hooks":{"Stop":[{"hooks":[{"type":"command","command":"beep"}]}]}}',
  "hooks of others, in odd spacing": `{\n   "hooks" : {\n      "Stop": [\n         ${JSON.stringify(other("beep"))}\n      ],\n      "PreToolUse":[ ${JSON.stringify(other("guard"))} ]\n   },\n   "x":1\n}\n`,
  "a byte order mark": '\ufeff{\n  "model": "opus"\n}\n',
  "numbers and escapes as they were written": '{\n  "a": 1.50e+3,\n  "b": "\\u00e4\\/",\n  "c": [ ]\n}\n',
};

for (const [name, text] of Object.entries(EXACT)) {
  test(`settings, ${name}: installed once, and gone without a trace`, () => {
    const after = withHooks(text, WANTED, PATH);
    const parsed = JSON.parse(after.replace(/^\ufeff/, ""));
    const before = JSON.parse(text.replace(/^\ufeff/, ""));
    const found = ourHooks(after, PATH).map(({ event, value }) => `${event}: ${value.command}`);
    assert.deepEqual(found.sort(), WANTED.map(({ event, command }) => `${event}: ${command}`).sort());
    assert.equal(parsed.hooks.SessionStart[1].hooks[0].asyncRewake, true);
    assert.deepEqual({ ...parsed, hooks: undefined }, { ...before, hooks: undefined });
    assert.deepEqual(parsed.hooks.Stop.slice(0, -1), before.hooks?.Stop ?? []);
    assert.equal(withHooks(after, WANTED, PATH), after, "again: nothing changes");
    assert.equal(withoutHooks(after, PATH), text);
    if (text.includes("\r\n")) assert.doesNotMatch(after, /[^\r]\n/, "line ends stay");
  });
}

test("settings, empty: become an object with our hooks alone, and an empty one again", () => {
  for (const text of ["", "  \n", "{}", "{ }\n", '{\n  "hooks": {}\n}\n']) {
    const after = withHooks(text, WANTED, PATH);
    assert.deepEqual(Object.keys(JSON.parse(after)), ["hooks"]);
    assert.match(withoutHooks(after, PATH), /^\{\}\n?$/);
  }
});

test("settings, ours twice, of another home, and in a group with others: exactly ours is replaced and removed", () => {
  const ours = { type: "command", command: "exec '/old home/mail/warren-mail-hook' claude" };
  const beep = { type: "command", command: "beep" };
  const text = `${JSON.stringify({ hooks: { Stop: [{ hooks: [ours] }, { matcher: "x", hooks: [beep, ours, beep] }, { hooks: [ours, ours] }] } }, undefined, 2)}\n`;
  assert.equal(ourHooks(text, PATH).length, 4);
  assert.deepEqual(JSON.parse(withoutHooks(text, PATH)), { hooks: { Stop: [{ matcher: "x", hooks: [beep, beep] }] } });
  const after = JSON.parse(withHooks(text, WANTED, PATH));
  assert.deepEqual(after.hooks.Stop[0], { matcher: "x", hooks: [beep, beep] });
  assert.equal(ourHooks(JSON.stringify(after), PATH).length, WANTED.length);
  const similar = JSON.stringify({ hooks: { Stop: [other("/bin/warren-mail-hooks-of-mine")] } });
  assert.deepEqual(ourHooks(similar, PATH), [], "a name that only begins so is somebody else's");
});

test("settings that are refused: the command that opens them takes any path", () => {
  assert.throws(() => ourHooks("[]", "/my home/settings.json"), { fix: /\} '\/my home\/settings\.json'$/ });
  assert.throws(() => ourHooks("{", "/my home/settings.json"), { fix: /\} \+1 '\/my home\/settings\.json'$/ });
});

test("settings that are not JSON, or not Claude Code's, are refused with their place", () => {
  const cases: [text: string, code: string, says: RegExp][] = [
    ['{\n  // mine\n  "a": 1\n}', "SETTINGS_NOT_JSON", /line 2, column 3: a comment/],
    ['{\n  "a": 1,\n}', "SETTINGS_NOT_JSON", /line 3, column 1: "}"/],
    ['{"a": "x', "SETTINGS_NOT_JSON", /line 1, column 7: a string/],
    ['{"a": 1', "SETTINGS_NOT_JSON", /line 1, column 8: the end of the file/],
    ['{"a": 01}', "SETTINGS_NOT_JSON", /line 1, column 8/],
    ["{} {}", "SETTINGS_NOT_JSON", /column 4/],
    ["[".repeat(1_000), "SETTINGS_NOT_JSON", /nested/],
    ["[]", "SETTINGS_UNEXPECTED", /no object/],
    ['{"hooks": []}', "SETTINGS_UNEXPECTED", /"hooks" is no object/],
    ['{"hooks": {"Stop": {}}}', "SETTINGS_UNEXPECTED", /hooks\.Stop is no list/],
  ];
  for (const [text, code, says] of cases)
    for (const act of [() => withHooks(text, WANTED, PATH), () => withoutHooks(text, PATH)])
      assert.throws(act, (error) => isWarrenError(error, code) && says.test(error.message), text);
});

test("a diff is what patch(1) takes: the lines around a change, several hunks, a new file", () => {
  const lines = Array.from({ length: 20 }, (_, at) => `line ${at + 1}`);
  const before = `${lines.join("\n")}\n`;
  const after = `${lines.toSpliced(17, 1).toSpliced(1, 0, "new").join("\n")}\n`;
  assert.deepEqual(unifiedDiff(before, after, "f"), [
    "--- f",
    "+++ f",
    "@@ -1,4 +1,5 @@",
    " line 1",
    "+new",
    " line 2",
    " line 3",
    " line 4",
    "@@ -15,6 +16,5 @@",
    " line 15",
    " line 16",
    " line 17",
    "-line 18",
    " line 19",
    " line 20",
  ]);
  assert.deepEqual(unifiedDiff("", "a\nb\n", "f"), ["--- /dev/null", "+++ f", "@@ -0,0 +1,2 @@", "+a", "+b"]);
  assert.deepEqual(unifiedDiff(before, before, "f"), []);
});
