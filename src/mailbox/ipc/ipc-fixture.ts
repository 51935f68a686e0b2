import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../platform/clock.ts";
import { systemClock } from "../../platform/clock.ts";
import { silentLog } from "../../platform/log.ts";
import { bootId, readProcess } from "../../platform/process.ts";
import { MailLog } from "../log/mail-log.ts";
import { IpcDesk, type IpcDeskOptions } from "./ipc-desk.ts";
import { largeMessageFiles } from "./large-message.ts";
import { type ServedIpc, serveIpc } from "./serve-ipc.ts";

/** A real log in a temporary directory, with a desk before it; for tests. */
export interface TemporaryDesk extends AsyncDisposable {
  desk: IpcDesk;
  mailLog: MailLog;
  directory: string;
  clock: MovableClock;
  /** A desk of the next leader's: a new process knows nothing of the readers of this one. */
  successor(): Promise<IpcDesk>;
  /** Serves a desk on a socket of its own. */
  serve(desk?: IpcDesk): Promise<{ port: number; open: Set<ServedIpc> }>;
}

export interface MovableClock extends Clock {
  move(ms: number): void;
}

export async function temporaryDesk(
  options: Partial<IpcDeskOptions> & { wrap?: (log: MailLog) => IpcDeskOptions["log"] } = {},
): Promise<TemporaryDesk> {
  const directory = await mkdtemp(join(tmpdir(), "warren-ipc-"));
  const clock = movableClock();
  const mailLog = await MailLog.open({ path: join(directory, "log.db"), log: silentLog });
  await mailLog.takeLead(thisLeader());
  const { wrap = (log) => log, ...deskOptions } = options;
  const newDesk = (): IpcDesk =>
    new IpcDesk({
      log: wrap(mailLog),
      storeLarge: largeMessageFiles(join(directory, "large-messages")),
      clock,
      ...deskOptions,
    });
  const desk = newDesk();
  const closers: (() => Promise<void>)[] = [];
  return {
    desk,
    mailLog,
    directory,
    clock,
    async successor() {
      await mailLog.takeLead(thisLeader());
      return newDesk();
    },
    async serve(given = desk) {
      const open = new Set<ServedIpc>();
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        socket.on("error", () => undefined);
        socket.once("data", (bytes) => {
          const served = serveIpc(socket, bytes as Buffer, given);
          open.add(served);
          void served.closed.then(() => open.delete(served));
        });
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      closers.push(async () => {
        await Promise.all([...open].map((served) => served.close()));
        await new Promise<void>((resolve) => {
          server.close(() => resolve());
        });
      });
      return { port: (server.address() as { port: number }).port, open };
    },
    async [Symbol.asyncDispose]() {
      for (const close of closers) await close();
      await mailLog.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function movableClock(): MovableClock {
  let movedMs = 0;
  return {
    wallMs: () => systemClock.wallMs() + movedMs,
    monotonicMs: () => systemClock.monotonicMs() + movedMs,
    timer: (delayMs, task) => {
      const handle = setTimeout(task, delayMs);
      return () => clearTimeout(handle);
    },
    move: (ms) => {
      movedMs += ms;
    },
  };
}

const thisLeader = (): Parameters<MailLog["takeLead"]>[0] => ({
  pid: process.pid,
  pidStart: String(readProcess(process.pid)?.startTicks),
  bootId: bootId(),
  gitHash: "test",
  version: "0.0.0",
  socket: "/nowhere",
  isDedicated: false,
});

export interface Exchange {
  line: number;
  request: string;
  reply: string;
}

/** A golden transcript: pairs of what is written and what is read. */
export function transcript(name: string): Exchange[] {
  const exchanges: Exchange[] = [];
  let request = "";
  const lines = readFileSync(new URL(`golden/${name}.transcript`, import.meta.url), "utf8").split("\n");
  for (const [at, text] of lines.entries()) {
    if (text.startsWith("→ ")) request = text.slice(2);
    if (text.startsWith("← ")) exchanges.push({ line: at + 1, request, reply: text.slice(2) });
  }
  return exchanges;
}

/** Goes through a transcript with `talk`; the differences, as they would stand in it. */
export async function differences(
  exchanges: readonly Exchange[],
  talk: (request: string) => Promise<string>,
): Promise<{ line: number; wanted: string; got: string }[]> {
  const tokens = new Map<string, string>();
  const found: { line: number; wanted: string; got: string }[] = [];
  for (const { line, request, reply } of exchanges) {
    const raw = await talk(request.replace(/<([^<>]+)>/g, (whole, name: string) => tokens.get(name) ?? whole));
    const registered = /^\{"action": "register", "instance_id": "([^"]+)"/.exec(request)?.[1];
    const token = /"session_token": "([\w-]{43})"/.exec(raw)?.[1];
    if (registered !== undefined && token !== undefined) tokens.set(registered, token);
    const got = raw
      .replace(/"session_token": "[\w-]{43}"/, `"session_token": "<${registered}>"`)
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}/g, "<time>");
    if (got !== reply) found.push({ line, wanted: reply, got });
  }
  return found;
}
