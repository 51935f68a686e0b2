import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { faultOf, shownCommands } from "./harness/docs/command-lines.ts";
import { configReference } from "./harness/docs/config-reference.ts";
import { errorReference } from "./harness/docs/error-reference.ts";
import { anchorsOf, DOCUMENTS, inlineCode, linksOf, partsOf } from "./harness/docs/markdown.ts";
import { protocolReference } from "./harness/docs/protocol-reference.ts";
import { namedTests } from "./harness/named-tests.ts";

/** The documents are held to: links lead somewhere, commands can be typed, files and tests are there, and the references are what the schemas say. */

const ROOT = join(import.meta.dirname, "..");
const documents = DOCUMENTS();

test("docs: every link leads to a file that is there, and to a heading that it has", () => {
  const broken = documents.flatMap(({ path, text }) =>
    linksOf(partsOf(text).prose)
      .filter((link) => !leadsSomewhere(path, link))
      .map((link) => `${path}: ${link}`),
  );
  assert.deepEqual(broken, []);
});

test("docs: a link to a heading or a file that is gone is found", () => {
  const why = (link: string) => leadsSomewhere("docs/gateway.md", link);
  assert.deepEqual(
    [why("#limits"), why("gateway.md#tls"), why("../README.md"), why("#no-such"), why("gone.md"), why("mailbox.md#no")],
    [true, true, true, false, false, false],
  );
});

test("docs: every command that is shown can be typed", async () => {
  const shown = documents.flatMap(({ path, text }) => shownCommands(text).map((one) => ({ path, ...one })));
  assert.ok(shown.length > 200, `${shown.length} commands were found`);
  const faults: string[] = [];
  for (const one of shown) {
    const fault = await faultOf(one);
    if (fault !== undefined) faults.push(`${one.path}: ${one.line}: ${fault}`);
  }
  assert.deepEqual(faults, []);
});

test("docs: a command with a verb, a part or a flag that is not there is found", async () => {
  const faultsOf = async (line: string) =>
    (await Promise.all(shownCommands(`\n    ${line}\n`).map(faultOf))).map((fault) => fault !== undefined);
  assert.deepEqual(await faultsOf("warren stop web && warren halt web | warren list --every"), [false, true, true]);
  assert.deepEqual(await faultsOf("kill -9 $(warren status --jsno) # warren halt"), [true]);
  assert.deepEqual(await faultsOf("warren mail sned fox 'a; b'; warren mail send fox 'a; warren halt'"), [true, false]);
  assert.deepEqual(await faultsOf("warren gateway rolback api"), [true]);
  assert.deepEqual(await faultsOf("warren --on laptop run -- make --nothing"), [false]);
  assert.deepEqual(await faultsOf("warren why"), [true], "it needs a name");
});

test("docs: every file of the project that is named is there", () => {
  const missing = documents.flatMap(({ path, text }) =>
    inlineCode(partsOf(text).prose)
      .flatMap((code) => code.match(/^(?:src|test|bench|scripts|examples)\/[\w./*-]+/)?.[0] ?? [])
      .filter((named) => named !== WORKERS_OWN && globSync(named.replace(/\/$/, ""), { cwd: ROOT }).length === 0)
      .map((named) => `${path}: ${named}`),
  );
  assert.deepEqual(missing, []);
});

/** In a worker's folder. */
const WORKERS_OWN = "src/main.ts";

test("docs: what the way through the code names is in the files that it names", () => {
  const text = readFileSync(join(ROOT, "docs", "ARCHITECTURE.md"), "utf8");
  const way = text.slice(text.indexOf("## Read the code"), text.indexOf("## Processes"));
  const stations = way.split("\n").filter((line) => /^\d\. /.test(line));
  assert.equal(stations.length, 6);
  for (const station of stations) {
    const files = linksOf(station).map((link) => readFileSync(join(ROOT, "docs", link), "utf8"));
    const names = inlineCode(station).filter((code) => /^[a-z]+[A-Za-z_]*$/.test(code));
    assert.ok(names.length > 0, station);
    for (const name of names)
      assert.ok(
        files.some((file) => file.includes(name)),
        `${name}: ${station}`,
      );
  }
});

test("docs: every test that is named is there", () => {
  const tests = namedTests();
  const named = documents.flatMap(({ path, text }) =>
    [
      ...text.matchAll(
        /\[([^\]]+)\]\(([^)\s]+\.test\.ts) "([^"]+)"\)|`((?:src|test)\/[\w./-]+\.test\.ts)`, "([^"]+)"/g,
      ),
    ].map(([, , linked, title, file, name]) => ({
      path,
      file: file ?? normalize(join(dirname(path), linked!)),
      name: (name ?? title!).replaceAll(/\s+/g, " "),
    })),
  );
  assert.ok(named.length > 20, `${named.length}`);
  const missing = named.filter(({ file, name }) => !tests.get(file)?.some((one) => isNamed(one, name)));
  assert.deepEqual(missing, []);
});

/** As it is written, or a part of it; a value that a table puts in stands for anything. */
const isNamed = (written: string, name: string): boolean =>
  written.includes(name) || new RegExp(`^${RegExp.escape(written).replaceAll(/\\\$\\\{.*?\\\}/g, ".*")}$`).test(name);

test("docs: in the comparison each cell about Warren names its test, and each about another program its source", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const table = readme.slice(readme.indexOf("## How it compares"), readme.indexOf("## What it does not do"));
  const rows = table.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| what happens"));
  assert.ok(rows.length > 12, `${rows.length}`);
  for (const row of rows) {
    const [, ours = "", theirs = ""] = row.split(" | ");
    assert.match(ours, /^no$|\]\(test\/[\w-]+\.test\.ts/, row);
    assert.match(theirs, /\]\((https:\/\/|docs\/benchmarks\.md#)/, row);
  }
});

test("docs: every script of npm that is shown is in package.json, and every bench is one", () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const benches = /npm run bench -- ([\w|]+)/
    .exec(readFileSync(join(ROOT, "bench", "main.ts"), "utf8"))![1]!
    .split("|");
  const missing = documents.flatMap(({ path, text }) => [
    ...[...text.matchAll(/\bnpm run ([\w:-]+)/g)]
      .filter(([, name]) => scripts[name!] === undefined && !OF_OTHERS.has(name!))
      .map(([shown]) => `${path}: ${shown}`),
    ...[...text.matchAll(/\bnpm run bench -- ([\w-]+)/g)]
      .filter(([, name]) => !benches.includes(name!))
      .map(([shown]) => `${path}: ${shown}`),
  ]);
  assert.deepEqual(missing, []);
});

/** Scripts of a reader's own project, in examples. */
const OF_OTHERS = new Set(["dev", "watch"]);

interface Reference {
  path: string;
  part: string;
  made: () => string | Promise<string>;
  /** What of it has to be as in the code. Default: every line. */
  held?: (line: string) => string;
}

/** Of an error the code and the status; its sentences are better every week, and are written anew with the rest. */
const withoutSentences = (row: string): string => row.replace(/^(\| `\w+` \|).*(\|[^|]*\|)$/, "$1$2");

const REFERENCES: readonly Reference[] = [
  { path: "docs/configuration.md", part: "keys", made: configReference },
  { path: "docs/protocol.md", part: "messages", made: protocolReference },
  { path: "docs/protocol.md", part: "errors", made: errorReference, held: withoutSentences },
];

for (const { path, part, made, held = (line: string) => line } of REFERENCES) {
  test(`docs: ${path} has the ${part} that the code has`, async () => {
    const file = join(ROOT, path);
    const text = readFileSync(file, "utf8");
    const [begin, end] = ["begin", "end"].map((which) => `<!-- ${part}, made by test/docs.test.ts: ${which} -->`);
    const [from, to] = [text.indexOf(begin!), text.indexOf(end!)];
    assert.ok(from !== -1 && to > from, `${begin} … ${end}`);
    const now = `\n${await made()}\n`;
    // Run with WARREN_UPDATE_DOCS=1 to write it.
    if (process.env.WARREN_UPDATE_DOCS === "1")
      return writeFileSync(file, text.slice(0, from + begin!.length) + now + text.slice(to));
    const [written, code] = [text.slice(from + begin!.length, to), now].map((all) => all.split("\n").map(held));
    const first = code!.findIndex((line, at) => line !== written![at]);
    assert.deepEqual([first, written![first]], [-1, undefined], `WARREN_UPDATE_DOCS=1 writes it anew: ${code![first]}`);
    assert.equal(written!.length, code!.length);
  });
}

/** A file that is there, with a heading of that name where one is meant. */
function leadsSomewhere(from: string, link: string): boolean {
  const [file, anchor] = link.split("#") as [string, string?];
  const path = file === "" ? from : normalize(join(dirname(from), decodeURI(file)));
  if (!existsSync(join(ROOT, path))) return false;
  return anchor === undefined || !path.endsWith(".md") || anchorsOf(readFileSync(join(ROOT, path), "utf8")).has(anchor);
}
