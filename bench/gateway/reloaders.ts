import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root, type Stage } from "../stage.ts";
import { freePort, startListening } from "./process.ts";

/** Someone who has a source directory, and serves what is in it. */
export interface Served {
  name: string;
  sourceDir: string;
  port: number;
  /** Told after each save, where it has to be. */
  tell?: () => void;
}

export interface SourceFiles {
  main: string;
  /** By name. */
  texts: Record<string, string>;
}

/** What people use today to have a saved file run: each starts the program anew, and the port refuses connections meanwhile. */
const bin = (name: string): string => join(root, "bench", "node_modules", ".bin", name);

const RELOADERS: readonly { name: string; needs?: string; argv: (node: string, main: string) => string[] }[] = [
  { name: "node --watch", argv: (node, main) => [node, "--watch", main] },
  {
    name: "nodemon",
    needs: bin("nodemon"),
    argv: (node, main) => [node, bin("nodemon"), "--quiet", "--ext", "ts", "--exec", node, main],
  },
  { name: "tsx watch", needs: bin("tsx"), argv: (node, main) => [node, bin("tsx"), "watch", main] },
];

export const reloaderNames: readonly string[] = RELOADERS.map(({ name }) => name);

/** Each in a folder of its own, with these sources. */
export async function startReloaders(
  stage: Stage,
  files: SourceFiles,
  ending: AsyncDisposableStack,
): Promise<Served[]> {
  const all: Served[] = [];
  for (const { name, needs, argv } of RELOADERS) {
    if (needs !== undefined && !existsSync(needs)) continue;
    const sourceDir = join(stage.dir, name.replaceAll(" ", "-"), "src");
    await mkdir(sourceDir, { recursive: true });
    for (const [file, text] of Object.entries(files.texts)) await writeFile(join(sourceDir, file), text);
    const port = await freePort();
    const env = { ...stage.env, PORT: String(port) };
    const started = await startListening({ ...stage, env }, argv(stage.node, files.main), { port, cwd: sourceDir });
    ending.defer(() => started.end());
    all.push({ name, sourceDir, port });
  }
  return all;
}
