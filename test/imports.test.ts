import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

/** The shape of the house (docs/ARCHITECTURE.md): who may import whom, no cycle, no dead file. */
const ROOT = join(import.meta.dirname, "..");

/** By folder of src/: the folders that it may import besides itself. */
const ARROWS: Record<string, readonly string[]> = {
  protocol: [],
  platform: ["sealing", "protocol"],
  runs: ["platform", "protocol"],
  keeper: ["platform", "protocol"],
  registry: ["platform", "protocol"],
  contact: ["sealing", "protocol"],
  client: ["contact", "sealing", "protocol"],
  local: ["platform", "registry", "client", "contact", "sealing", "protocol"],
  config: ["protocol", "platform"],
  jobs: ["runs", "platform", "protocol"],
  sessions: ["runs", "registry", "platform", "protocol"],
  front: ["platform", "protocol"],
  gateway: ["runs", "platform", "protocol"],
  deploy: ["client", "config", "platform", "protocol"],
  serving: ["platform", "protocol"],
  mailbox: ["serving", "config", "platform", "protocol"],
  sealing: ["protocol"],
  hub: ["web-files", "sealing", "platform", "protocol"],
  remote: ["contact", "sealing", "platform", "protocol"],
  server: [
    "serving",
    "jobs",
    "sessions",
    "gateway",
    "remote",
    "sealing",
    "runs",
    "registry",
    "local",
    "client",
    "config",
    "platform",
    "protocol",
  ],
  cli: [
    "client",
    "sealing",
    "deploy",
    "hooks",
    "local",
    "config",
    "registry",
    "platform",
    "protocol",
    "runs/logs",
    "sessions/history",
    "sessions/journal",
  ],
  hooks: ["client", "local", "config", "platform", "protocol"],
  mcp: ["client", "hooks", "local", "config", "platform", "protocol", "runs/logs"],
  web: ["client", "contact", "sealing", "protocol"],
  "web-files": [],
  "web-host": ["web-files", "remote", "contact", "sealing", "local", "platform", "protocol"],
  tui: ["client", "local", "config", "registry", "platform", "protocol", "runs/logs"],
};

/** What starts a process. */
const ENTRIES = [
  "src/cli/main.ts",
  "src/server/main.ts",
  "src/keeper/main.ts",
  "src/sessions/screen/screens-thread.ts",
  "src/front/main.ts",
  "src/mailbox/leader/main.ts",
  "src/mailbox/log/writer-thread.ts",
  "src/mcp/main.ts",
  "src/hooks/main.ts",
  "src/hub/main.ts",
  "src/tui/main.ts",
  "src/web/main.tsx",
  "src/web/service-worker.ts",
  "src/web-host/main.ts",
  "src/tui/main.tsx",
];

const isTest = (file: string): boolean => /\.test\.tsx?$/.test(file);
/** Made for tests alone; they may import what they like, and count as alive. */
const isForTests = (file: string): boolean =>
  isTest(file) || /-fixture\.tsx?$/.test(file) || file.includes("/testing/");

interface Import {
  from: string;
  to: string;
  /** `lazy`: by import(), when it is needed, so it is no part of a cycle; `type`: gone when the program runs. */
  kind: "static" | "lazy" | "type";
}

const files = globSync("src/**/*.{ts,tsx}", { cwd: ROOT })
  .filter((file) => !file.endsWith(".d.ts"))
  .sort();
const imports = new Map(files.map((file) => [file, importsOf(file)]));

test("imports: every relative import names a file of src/ with its extension", () => {
  assert.ok(files.length > 100, "the source was found");
  const known = new Set(files);
  const broken = [...imports.values()].flat().filter(({ from, to }) => !known.has(to) && !isForTests(from));
  assert.deepEqual(
    broken.map(({ from, to }) => `${from} → ${to}`),
    [],
  );
});

test("imports: the arrows run one way", () => {
  const wrong: string[] = [];
  for (const { from, to } of [...imports.values()].flat()) {
    if (isForTests(from)) continue;
    const source = folderOf(from);
    if (source === folderOf(to)) continue;
    const allowed = ARROWS[source];
    assert.ok(allowed, `src/${source} is a folder that this test does not know: say in ARROWS what it may import`);
    if (!allowed.some((folder) => to.startsWith(`src/${folder}/`))) wrong.push(`${from} must not import ${to}`);
  }
  assert.deepEqual(wrong, []);
});

test("imports: no cycle between files", () => {
  const cycles: string[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (file: string, path: string[]): void => {
    if (state.get(file) === "open") cycles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    if (state.has(file)) return;
    state.set(file, "open");
    for (const { to, kind } of imports.get(file) ?? []) if (kind === "static") visit(to, [...path, file]);
    state.set(file, "done");
  };
  for (const file of files) visit(file, []);
  assert.deepEqual(cycles, []);
});

test("imports: every file is reached from an entry", () => {
  const alive = new Set<string>();
  const queue = ENTRIES.filter((file) => files.includes(file));
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (alive.has(file)) continue;
    alive.add(file);
    queue.push(...(imports.get(file) ?? []).map(({ to }) => to));
  }
  const dead = files.filter((file) => !alive.has(file) && !isForTests(file));
  assert.deepEqual(dead, [], "import it, delete it, or name it *-fixture.ts if only tests use it");
});

test("imports: product code does not import what is made for tests", () => {
  const wrong = [...imports.values()]
    .flat()
    .filter(({ from, to }) => !isForTests(from) && isForTests(to))
    .map(({ from, to }) => `${from} → ${to}`);
  assert.deepEqual(wrong, []);
});

/** Static and dynamic imports with a literal relative path, and re-exports. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), "utf8").replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
  const found: Import[] = [];
  const add = (specifier: string, kind: Import["kind"]): void => {
    if (!specifier.startsWith(".")) return;
    found.push({ from: file, to: relative(ROOT, join(ROOT, dirname(file), specifier)), kind });
  };
  for (const [, type, , specifier] of text.matchAll(/^(?:import|export) (type )?([^;"']*? from )?["']([^"']+)["']/gm))
    add(specifier!, type === undefined ? "static" : "type");
  for (const [, specifier] of text.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g)) add(specifier!, "lazy");
  for (const [, specifier] of text.matchAll(/\bnew URL\(\s*["']([^"']+[.]tsx?)["'],\s*import[.]meta/g))
    add(specifier!, "lazy");
  return found;
}

const folderOf = (file: string): string => file.split("/")[1] ?? "";
