import { realpath, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import type { Client } from "../../client/client.ts";
import { DEPLOY_STATE_DIR, DEPLOYED_FILE } from "../../config/gateway/deployed-file.ts";
import { readJsonIfExists, writeFileAtomic } from "../../platform/atomic-file.ts";
import { timestamp } from "../../platform/clock.ts";
import { makeDirectories } from "../../platform/directories.ts";
import { type Lock, tryLock } from "../../platform/lock.ts";
import { messageOf, WarrenError } from "../../protocol/errors.ts";
import { LineInbox } from "../line-inbox.ts";
import { DEPLOY_FORMAT, type FromHost, type Placement, SILENCE_MAX_MS, type ToHost, type Undone } from "../messages.ts";
import { changesTo, recordOf } from "./deployed-record.ts";
import { HostGateway, type Judgement } from "./host-gateway.ts";
import { PlacedFiles } from "./placed-files.ts";
import { pruneVersions } from "./prune-versions.ts";

/**
 * The host's end of a deploy (messages.ts). One at a time: the lock is the kernel's, and free as soon as its holder is dead.
 *
 * From `switch` on it listens to nobody until it has come to an end of its own, so that a connection that breaks leaves the host switched or as it was. A host
 * that dies in between is led back by the next `receive`.
 */
export interface ReceiveOptions {
  /** As it was asked for: absolute, or below `home`. */
  dir: string;
  home: string;
  /** Who asks, for whoever finds the lock taken. */
  by: string;
  input: Readable;
  say: (message: FromHost) => void;
  client: Client;
  env: string[];
  port?: number | undefined;
  nowMs: () => number;
}

/** @throws DEPLOY_RUNNING; what the disk says */
export async function receive(options: ReceiveOptions): Promise<void> {
  const wanted = resolve(options.home, options.dir);
  makeDirectories(join(wanted, DEPLOY_STATE_DIR));
  const dir = await realpath(wanted);
  const lock = lockOf(dir, options);
  const inbox = new LineInbox<ToHost>({
    stream: options.input,
    silenceMaxMs: SILENCE_MAX_MS,
    isIdle: ({ type }) => type === "alive",
  });
  try {
    await new Reception(options, dir, inbox).run();
  } finally {
    inbox.close();
    lock.release();
  }
}

interface Holder {
  by: string;
  sinceMs: number;
}

function lockOf(dir: string, { by, nowMs }: ReceiveOptions): Lock {
  const holderPath = join(dir, DEPLOY_STATE_DIR, "holder.json");
  const lock = tryLock(join(dir, DEPLOY_STATE_DIR, "lock"));
  if (lock) {
    writeFileAtomic(holderPath, JSON.stringify({ by, sinceMs: nowMs() } satisfies Holder));
    return lock;
  }
  const holder = readJsonIfExists<Holder>(holderPath);
  const who = holder ? `${holder.by} has been at it since ${timestamp(holder.sinceMs)}` : "somebody is at it";
  throw new WarrenError("DEPLOY_RUNNING", `Another deploy to ${dir} on ${hostname()} is running: ${who}.`, {
    fix: "warren gateway deploy",
  });
}

class Reception {
  readonly #options: ReceiveOptions;
  readonly #dir: string;
  readonly #inbox: LineInbox<ToHost>;
  readonly #staging: string;
  readonly #files: PlacedFiles;
  readonly #gateway: HostGateway;

  constructor(options: ReceiveOptions, dir: string, inbox: LineInbox<ToHost>) {
    const { client, env, port } = options;
    const stateDir = join(dir, DEPLOY_STATE_DIR);
    this.#options = options;
    this.#dir = dir;
    this.#inbox = inbox;
    this.#staging = join(stateDir, "incoming");
    this.#files = new PlacedFiles({ dir, stateDir });
    this.#gateway = new HostGateway({ client, dir, env, port });
  }

  async run(): Promise<void> {
    const { say } = this.#options;
    if (this.#files.isOpen) await this.#recover();
    await rm(this.#staging, { recursive: true, force: true });
    makeDirectories(this.#staging);
    try {
      say({ type: "ready", format: DEPLOY_FORMAT, dir: this.#dir, staging: this.#staging });
      const order = await this.#inbox.next();
      if (order?.type === "switch") await this.#switch(order);
    } finally {
      await rm(this.#staging, { recursive: true, force: true });
    }
  }

  async #switch(placement: Placement): Promise<void> {
    const { say, nowMs } = this.#options;
    const before = await this.#gateway.status();
    const changes = await changesTo(this.#dir, placement);
    const recordPath = join(this.#staging, DEPLOYED_FILE);
    makeDirectories(dirname(recordPath));
    writeFileAtomic(recordPath, `${JSON.stringify(recordOf(placement, timestamp(nowMs())))}\n`);
    say({ type: "placed", changed: await this.#files.put(this.#staging, changes) });
    const judgement = await this.#gateway.takeUp(placement.artefacts, placement.timeoutMs);
    if (!judgement.isWell) {
      const undone = await this.#undo(before !== undefined, placement.timeoutMs);
      return say({ type: "result", ...judgement, undone });
    }
    say({ type: "result", ...judgement });
    const word = await this.#inbox.next();
    if (word?.type === "undo")
      return say({ type: "done", undone: await this.#undo(before !== undefined, placement.timeoutMs) });
    await this.#files.keep();
    const inUse = await this.#gateway.versionsInUse();
    await pruneVersions(this.#dir, placement.artefacts, { keepCount: placement.keepCount, inUse });
    say({ type: "done" });
  }

  /** What was not up before is taken down again: there is nothing that it could serve. */
  async #undo(wasUp: boolean, timeoutMs: number): Promise<Undone> {
    try {
      if (!wasUp) await this.#gateway.down();
      await this.#files.undo();
      if (!wasUp) return { isWell: true, workers: [] };
      const { isWell, workers, reason }: Judgement = await this.#gateway.takeUp([], timeoutMs);
      return { isWell, workers, ...(reason === undefined ? {} : { reason }) };
    } catch (error) {
      return { isWell: false, workers: [], reason: messageOf(error) };
    }
  }

  /** A deploy before this one was cut off by the end of its process. */
  async #recover(): Promise<void> {
    await this.#files.undo();
    if (await this.#gateway.status()) await this.#gateway.takeUp([], RECOVERY_MS);
  }
}

const RECOVERY_MS = 30_000;
