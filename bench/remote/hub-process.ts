import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ownRuntime, type Stage } from "../stage.ts";

/** A hub as it is shipped: `warren hub`, in a home of its own, on a free port of the loopback. */
export interface HubHost {
  child: ChildProcess;
  /** Of the hub itself: the command has become it. */
  pid: number;
  port: number;
  address: string;
  /** Ed25519. */
  key: Uint8Array;
  /** 16 bytes as hex. */
  fingerprint: string;
}

export interface HubHostOptions {
  /** Of its home; one for each hub of a stage. */
  label: string;
  /** A copy of the runtime of its own, so that PSS counts its pages in full; default: no. */
  isMeasured?: boolean;
}

export async function startHub(stage: Stage, { label, isMeasured = false }: HubHostOptions): Promise<HubHost> {
  const home = join(stage.dir, `hub-${label}`);
  await mkdir(home, { mode: 0o700 });
  const env = {
    ...stage.env,
    WARREN_HOME: home,
    WARREN_NODE: isMeasured ? await ownRuntime(stage, label) : stage.node,
  };
  const child = spawn(
    join(stage.checkout, "bin", "warren"),
    ["hub", "--port", "0", "--open", "--label", label, "--json"],
    {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const lines = createInterface({ input: child.stdout! });
  const [line] = await Promise.race([once(lines, "line"), once(child, "exit").then(() => ["{}"])]);
  const { port, key, fingerprint } = JSON.parse(String(line));
  if (port === undefined) throw new Error(`the hub ${label} did not start`);
  return {
    child,
    pid: child.pid!,
    port,
    address: `http://127.0.0.1:${port}`,
    key: Buffer.from(key, "hex"),
    fingerprint: fingerprint.replaceAll(" ", ""),
  };
}

export async function endHub({ child }: HubHost): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
