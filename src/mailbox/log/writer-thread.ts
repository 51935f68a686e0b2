import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { toWire } from "../../protocol/errors.ts";
import { backUp } from "./backup.ts";
import { leaveOutEcho } from "./echo.ts";
import { lookUp } from "./looks.ts";
import { Presences } from "./presences.ts";
import { Reader } from "./reader.ts";
import type { BackupCall, ReaderCall, ThreadAnswer, ThreadData, WriterCall } from "./thread-messages.ts";
import { Writer } from "./writer.ts";

/** The log's threads: the one that writes, the one that reads what takes long, and, for its time, the one that makes a backup. */
const port = parentPort;
if (port) run(port, workerData as ThreadData);

function run(port: MessagePort, { role, path }: ThreadData): void {
  const say = (answer: ThreadAnswer): void => port.postMessage(answer);
  try {
    const serve = { writer: writes, reader: reads, backup: backsUp }[role](port, path, say);
    port.on("message", serve);
    say({ kind: "ready" });
  } catch (error) {
    say({ kind: "failed", error: toWire(error, "MAIL_NOT_OPENED") });
    port.close();
  }
}

type Say = (answer: ThreadAnswer) => void;

function writes(port: MessagePort, path: string, say: Say): (call: WriterCall) => void {
  const writer = new Writer({ path });
  const presences = new Presences();
  const done = answering(say);
  return (given) => {
    const { call } = given;
    switch (given.kind) {
      case "perform":
        return attempt(say, call, () => {
          const outcomes = writer.perform(given.steps);
          for (const [at, outcome] of outcomes.entries()) leaveOutEcho(given.steps[at]!, outcome);
          say({ kind: "performed", call, outcomes, wal: writer.wal() });
        });
      case "lead":
        return attempt(say, call, () => done(call, writer.takeLead(given.leader, given.nowMs)));
      case "look":
        return attempt(say, call, () => {
          const { by, nowMs } = given.operation;
          done(call, lookUp({ log: writer.log, by, nowMs, presences }, given.operation, path));
        });
      case "copy":
        return attempt(say, call, () => done(call, writer.copyWal()));
      case "close":
        writer.close();
        done(call, undefined);
        return port.close();
    }
  };
}

function reads(port: MessagePort, path: string, say: Say): (call: ReaderCall) => void {
  const reader = new Reader(path);
  const done = answering(say);
  return (given) => {
    const { call } = given;
    switch (given.kind) {
      case "read":
        reader.read(given.operation).then(
          (answer) => done(call, answer),
          (error) => say({ kind: "refused", call, error: toWire(error, "INTERNAL") }),
        );
        return;
      case "index":
        return attempt(say, call, () => done(call, reader.fillIndex()));
      case "checkpoint":
        return attempt(say, call, () => done(call, reader.checkpoint()));
      case "close":
        reader.close();
        done(call, undefined);
        return port.close();
    }
  };
}

function backsUp(port: MessagePort, path: string, say: Say): (call: BackupCall) => void {
  const done = answering(say);
  return ({ call, to }) => {
    attempt(say, call, () => done(call, backUp(path, to)));
    port.close();
  };
}

function answering(say: Say): (call: number, value: unknown) => void {
  return (call, value) => say({ kind: "done", call, value });
}

function attempt(say: Say, call: number, work: () => void): void {
  try {
    work();
  } catch (error) {
    say({ kind: "refused", call, error: toWire(error, "INTERNAL") });
  }
}
