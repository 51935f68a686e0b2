import { spawnSync } from "node:child_process";
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Build, readBuild } from "../../src/platform/build.ts";

/**
 * The product under test: a private copy of bin/ and dist/, so that a build made by somebody else while a test runs does not appear under it. One copy
 * for each test process, made at first use and removed when the process exits; variants of it stand for other builds.
 */
export interface Installation {
  root: string;
  /** bin/warren of this copy. */
  bin: string;
  build: Build;
}

const CHECKOUT = join(import.meta.dirname, "..", "..");
/** A build that somebody else is putting in place meanwhile is copied again. */
const COPY_ATTEMPTS_MAX = 20;

const installation = (root: string): Installation => ({
  root,
  bin: join(root, "bin", "warren"),
  build: readBuild(join(root, "dist")),
});

let base: string | undefined;
let copied: Installation | undefined;

/** This process's copy of the checkout's build. */
export function thisInstallation(): Installation {
  copied ??= copyCheckout(join(baseDir(), "this"));
  return copied;
}

export interface VariantOptions {
  /** Of the build; another than the original's. */
  hash: string;
  /** Positive: newer than the original. */
  newerByMs: number;
  /** Files of dist/ with other contents, e.g. a server that throws. */
  files?: Record<string, string>;
  /** Changes of the code: in every script where `find` stands. It has to stand somewhere. */
  edits?: readonly { find: RegExp; replace: string }[];
}

/** Another build of the same code. */
export function variant({ hash, newerByMs, files = {}, edits = [] }: VariantOptions): Installation {
  const { root: original, build } = thisInstallation();
  const root = join(baseDir(), hash);
  cpSync(original, root, { recursive: true, verbatimSymlinks: true });
  const stamp = { format: 1, hash, version: build.version, built_at_ms: build.builtAtMs + newerByMs };
  writeFileSync(join(root, "dist", "build.json"), `${JSON.stringify(stamp)}\n`);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, "dist", name), text);
  for (const { find, replace } of edits) editScripts(join(root, "dist"), find, replace);
  return installation(root);
}

/** Builds that speak other versions of the protocol. */
export const speaks = ({ min, max }: { min: number; max: number }): Pick<VariantOptions, "edits"> => ({
  edits: [{ find: /min: ?1, ?max: ?1(?!\d)/, replace: `min:${min},max:${max}` }],
});

function editScripts(dir: string, find: RegExp, replace: string): void {
  let count = 0;
  for (const name of globSync("**/*.{js,cjs}", { cwd: dir })) {
    const text = readFileSync(join(dir, name), "utf8");
    if (!find.test(text)) continue;
    writeFileSync(join(dir, name), text.replaceAll(new RegExp(find, "g"), replace));
    count += 1;
  }
  if (count === 0) throw new Error(`no script of the build has ${find}`);
}

/** A server that fails while it is loaded, and says why. */
export const throwsWhenLoaded = (message: string): Record<string, string> => ({
  "server.js": `throw new Error(${JSON.stringify(message)});\n`,
});

/** A server that loads and fails as soon as it is told to take over. */
export const crashesAtStart = (message: string): Record<string, string> => ({
  "server.js": `import net from "node:net";
const control = new net.Socket({ fd: 4 });
control.on("data", () => { console.error(${JSON.stringify(message)}); process.exit(70); });
control.write("warm\\n");
`,
});

function baseDir(): string {
  if (base !== undefined) return base;
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "warren-build-")));
  process.once("exit", () => rmSync(dir, { recursive: true, force: true }));
  base = dir;
  return dir;
}

function copyCheckout(root: string): Installation {
  for (let attempt = 1; ; attempt += 1) {
    try {
      buildIfStale();
      const before = buildStamp();
      mkdirSync(root, { recursive: true });
      for (const part of ["bin", "dist", "package.json"])
        cpSync(join(CHECKOUT, part), join(root, part), { recursive: true });
      symlinkSync(join(CHECKOUT, "node_modules"), join(root, "node_modules"));
      if (buildStamp() === before) return installation(root);
      throw new Error("the build changed while it was copied");
    } catch (error) {
      if (attempt === COPY_ATTEMPTS_MAX) throw error;
      rmSync(root, { recursive: true, force: true });
    }
  }
}

const buildStamp = (): string => readFileSync(join(CHECKOUT, "dist", "build.json"), "utf8");

/** `npm test` builds first; a test file that is run alone builds when a source is newer than the build. */
function buildIfStale(): void {
  const builtAtMs = statSync(join(CHECKOUT, "dist", "build.json"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = globSync("src/**/*.{ts,tsx}", { cwd: CHECKOUT }).filter((path) => !/[.]test[.]tsx?$/.test(path));
  if (sources.every((path) => statSync(join(CHECKOUT, path)).mtimeMs <= builtAtMs)) return;
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build.mjs"], { cwd: CHECKOUT, encoding: "utf8" });
  if (status !== 0) throw new Error(`the build failed: ${stderr}`);
}
