import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "../src/client/client.ts";
import { dialPrimary } from "../src/local/dial-primary.ts";
import { readBuild } from "../src/platform/build.ts";
import { resolvePlaces } from "../src/platform/paths.ts";
import { castToSvg } from "./cast-to-svg.ts";

/**
 * `npm run demo:record`: plays the demo in a session of Warren's, as a person would type it, and writes docs/demo.cast (by `warren export`) and
 * docs/demo.svg. Two homes, so that what records is not in the picture.
 */
const ROOT = join(import.meta.dirname, "..");
const SIZE = { cols: 112, rows: 30 };
const KEY_MS = 45;
const LOOK_MS = 1_600;

const base = mkdtempSync(join(tmpdir(), "warren-demo-"));
const folders = {
  user: join(base, "you"),
  recorder: join(base, "recorder"),
  run: join(base, "run"),
  runRecorder: join(base, "rr"),
};
for (const dir of Object.values(folders)) mkdirSync(dir, { recursive: true, mode: 0o700 });
const checkout = join(folders.user, "warren");
mkdirSync(checkout);
for (const part of ["bin", "dist", "src", "scripts", "examples", "package.json", "package-lock.json", "tsconfig.json"])
  cpSync(join(ROOT, part), join(checkout, part), { recursive: true });
symlinkSync(join(ROOT, "node_modules"), join(checkout, "node_modules"));
const path = `${join(checkout, "bin")}:${process.env.PATH}`;
const env = { PATH: path, HOME: folders.recorder, WARREN_HOME: folders.recorder, XDG_RUNTIME_DIR: folders.runRecorder };
const inside = {
  PATH: path,
  HOME: folders.user,
  USER: "you",
  XDG_RUNTIME_DIR: folders.run,
  WARREN_HOME: join(folders.user, ".warren"),
  LANG: "C.UTF-8",
  PS1: "$ ",
  npm_config_loglevel: "silent",
  npm_config_userconfig: "/dev/null",
};
const client = new Client({
  dial: dialPrimary({ places: resolvePlaces(env), build: readBuild(join(ROOT, "dist")), env, mode: "start" }),
  name: "record-demo",
  version: "0",
  randomId: () => crypto.randomUUID(),
});
const session = "demo";
const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));
const send = (data: string) => client.request("session.send", { session, data });
const screen = async () => (await client.request("session.screen", { session })).lines.join("\n");

async function type(line: string): Promise<void> {
  for (const key of line) {
    await send(key);
    await pause(KEY_MS);
  }
  await pause(300);
  await send("\r");
}

async function shows(pattern: RegExp): Promise<RegExpExecArray> {
  for (let count = 0; count < 600; count++) {
    const found = pattern.exec(await screen());
    if (found) return found;
    await pause(50);
  }
  throw new Error(`the screen never showed ${pattern}:\n${await screen()}`);
}

async function story(): Promise<void> {
  await pause(600);
  await type("npm start");
  const kill = await shows(/needs you[\s\S]*(kill -9 \d+)/);
  await shows(/web app: http/);
  await pause(3 * LOOK_MS);
  await send("\x03");
  await shows(/It lives in examples/);
  await pause(LOOK_MS);
  await type(`clear; cd examples; ${kill[1]}`);
  await pause(LOOK_MS / 2);
  await type("warren overview");
  await shows(/2 sessions[\s\S]*needs you/);
  await pause(2 * LOOK_MS);
  await type("clear; warren approve owl; warren wait owl --for idle -q; warren mail check");
  await shows(/owl → you[\s\S]*the new page is deployed/);
  await pause(LOOK_MS);
  await type("warren reload");
  await shows(/reloaded/);
  await pause(2 * LOOK_MS);
}

try {
  // Nothing of the session that records: not its port, nor that one is in a session at all.
  const environment = Object.entries({ ...inside, TERM: "xterm-256color" }).map(([key, value]) => `${key}=${value}`);
  const command = ["env", "-i", ...environment, "sh"];
  await client.request("session.new", { command, name: session, workdir: checkout, env: environment, ...SIZE });
  await story();
  const file = join(ROOT, "docs", "demo.cast");
  const exported = spawnSync(join(ROOT, "bin", "warren"), ["export", session, file], { env, encoding: "utf8" });
  if (exported.status !== 0) throw new Error(exported.stderr);
  writeFileSync(
    join(ROOT, "docs", "demo.svg"),
    await castToSvg(readFileSync(file, "utf8"), { frameMs: 40, restMs: 3_000 }),
  );
} finally {
  for (const home of [inside, env])
    spawnSync(join(ROOT, "bin", "warren"), ["nuke", "--all", "--grace", "0s"], { env: home });
  client.close();
  rmSync(base, { recursive: true, force: true });
}
