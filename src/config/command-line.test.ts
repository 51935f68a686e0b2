import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import * as fc from "fast-check";
import { formatCommand, parseCommand } from "./command-line.ts";

const argvOf = (text: string): string[] => {
  const parsed = parseCommand(text);
  assert.equal(parsed.kind, "argv", text);
  return parsed.kind === "argv" ? parsed.argv : [];
};
const viaShell = (text: string) => assert.deepEqual(argvOf(text), ["sh", "-c", text]);

test("parseCommand: a plain command needs no shell, so it is the job that its words are", () => {
  assert.deepEqual(argvOf("npm run dev"), ["npm", "run", "dev"]);
  assert.deepEqual(argvOf("  npm\trun  dev\n"), ["npm", "run", "dev"]);
  assert.deepEqual(argvOf("node --port=3000 a#b x~y !"), ["node", "--port=3000", "a#b", "x~y", "!"]);
});

test("parseCommand: quotes and backslashes as in a shell", () => {
  assert.deepEqual(argvOf(`echo 'a  b' "c 'd'" e\\ f ''`), ["echo", "a  b", "c 'd'", "e f", ""]);
  assert.deepEqual(argvOf(`echo "a\\"b\\\\c\\n" '$HOME' \\*`), ["echo", 'a"b\\c\\n', "$HOME", "*"]);
  assert.deepEqual(argvOf("node a.js \\\n  --flag"), ["node", "a.js", "--flag"]);
});

test("parseCommand: what only a shell understands goes to one", () => {
  for (const text of [
    "a | b",
    "a && b",
    "a; b",
    "a > out",
    "echo $HOME",
    'echo "$HOME"',
    "echo `date`",
    "ls *.ts",
    "PORT=3000 npm start",
    "cd web && npm start",
    "cd web",
    "exit 3",
    "if true",
    "~/bin/tool",
    "a # comment",
    "a\nb",
    "# nothing",
  ]) {
    viaShell(text);
  }
});

test("parseCommand: a value may be quoted in an assignment, its name may not", () => {
  viaShell("A='1 2' x");
  viaShell("'exit' 3");
  assert.deepEqual(argvOf("'A=1' x"), ["A=1", "x"]);
});

test("parseCommand: empty or unclosed is invalid and says what", () => {
  for (const [text, reason] of [
    ["  ", /empty/],
    ["echo 'a", /single quote/],
    ['echo "a', /double quote/],
    ["echo a\\", /backslash/],
  ] as const) {
    const parsed = parseCommand(text);
    assert.equal(parsed.kind, "invalid");
    if (parsed.kind === "invalid") assert.match(parsed.reason, reason);
  }
});

const word = fc.string({ unit: fc.constantFrom(..."ab1 '\"\\$`|*?~#={}\t-\n!é"), maxLength: 8 });

test("formatCommand: what it writes is read back as the same list", () => {
  void fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (argv) => {
      const text = formatCommand(argv);
      if (text !== undefined) assert.deepEqual(argvOf(text), argv);
    }),
  );
  assert.equal(formatCommand(["node", "a b.js", "it's"]), `node 'a b.js' 'it'\\''s'`);
  assert.equal(formatCommand(["sh", "-c", "a | b"]), "a | b");
  assert.equal(formatCommand(["sh", "-c", "a b"]), undefined);
});

test("parseCommand: splits as sh does", () => {
  const texts = fc.sample(fc.array(word, { minLength: 1, maxLength: 4 }), { numRuns: 200, seed: 7 });
  const lines = texts.map((words) => words.join(" ").trim()).filter((line) => line.length > 0);
  for (const line of lines) {
    const parsed = parseCommand(`x ${line}`);
    if (parsed.kind === "invalid" || parsed.argv[0] === "sh") continue;
    const shown = execFileSync("sh", ["-c", `set -- x ${line}\nfor a do printf '%s\\0' "$a"; done`]);
    assert.deepEqual(shown.toString().split("\0").slice(0, -1), parsed.argv, JSON.stringify(line));
  }
});
