import { encodeSize, RECORD } from "../journal-records.ts";
import type { KeeperAnswer, KeeperAnswers, KeeperCall, KeeperChannel, KeeperServer } from "../keeper-calls.ts";
import { encodeInput, encodeJournalEnd, encodeReply, FRAME, type Frame } from "../keeper-frames.ts";

/**
 * For tests: one of each that crosses the keeper's wire or stands in a journal, as the types say it now. `golden/` holds the bytes of each as they were
 * released. The types below leave nothing out: a new call, frame or record without an example does not compile.
 */

const SERVER: KeeperServer = {
  name: "blazing",
  hash: "abc1234-00000000",
  pid: 4711,
  generation: 2,
  socketPath: "/run/warren/blazing.sock",
  state: "ready",
};

const SPEC = {
  name: "blazing",
  hash: "abc1234-00000000",
  command: ["/usr/bin/node", "server.js"],
  logPath: "/home/of/it/logs/servers/blazing.log",
};

const CHANNEL: KeeperChannel = {
  channel: 7,
  id: "5t2k9",
  name: "fox",
  kind: "terminal",
  pid: 4712,
  startTicks: 123456,
  server: "blazing",
  epoch: 3,
  output: 5_000_000_000,
  input: 42,
  segment: 9,
  segmentBytes: 23,
  cols: 80,
  rows: 24,
  exit: null,
};

const EXIT = { code: 3, signal: null, at: "2026-05-04T03:02:01.000Z" };

const CHANNEL_SPEC = {
  id: "5t2k9",
  name: "fox",
  server: "blazing",
  command: ["/bin/sh", "-c", "echo é"],
  directory: "/",
  env: { PATH: "/usr/bin:/bin", TERM: "xterm-256color" },
  journalDir: "/home/of/it/sessions/5t2k9/journal",
  journalBytesMax: 67_108_864,
  startOutput: 5_000_000_000,
  startInput: 42,
  startSegment: 9,
};

type CallNamed<Name> = Extract<KeeperCall, { call: Name }>;

type CallExamples = { [C in KeeperCall["call"]]: { request: CallNamed<C>; reply: KeeperAnswers[C] } };

/** One of each call; what a call has learned since has an example of its own. */
export const CALLS: CallExamples & {
  "server.start.listen": CallExamples["server.start"];
  "lease.take.from": CallExamples["lease.take"];
} = {
  hello: { request: { call: "hello" }, reply: { contract: 1, pid: 4710, home: "/home/of/it" } },
  list: { request: { call: "list" }, reply: { servers: [SERVER, { ...SERVER, name: "frozen", fellBack: "Why." }] } },
  "server.start": {
    request: { call: "server.start", spec: SPEC, socketPath: "/run/warren/blazing.sock", fallback: SPEC },
    reply: SERVER,
  },
  "server.start.listen": {
    request: {
      call: "server.start",
      spec: { ...SPEC, name: "front-1a2b3c4d", overlapMs: 30_000 },
      socketPath: "",
      listen: { host: "127.0.0.1", port: 8080 },
    },
    reply: { ...SERVER, name: "front-1a2b3c4d", socketPath: "", address: { host: "127.0.0.1", port: 8080 } },
  },
  "server.replace": { request: { call: "server.replace", spec: SPEC }, reply: SERVER },
  "server.stop": { request: { call: "server.stop", name: "blazing", force: true }, reply: { stopped: true } },
  channels: {
    request: { call: "channels" },
    reply: { channels: [CHANNEL, { ...CHANNEL, exit: EXIT }] },
  },
  "terminal.open": { request: { call: "terminal.open", ...CHANNEL_SPEC, cols: 80, rows: 24 }, reply: CHANNEL },
  "pipe.open": {
    request: { call: "pipe.open", ...CHANNEL_SPEC },
    reply: { ...CHANNEL, kind: "pipe", cols: 0, rows: 0 },
  },
  "lease.take": {
    request: { call: "lease.take", server: "blazing", ids: ["5t2k9"] },
    reply: { channels: [CHANNEL] },
  },
  "lease.take.from": {
    request: { call: "lease.take", server: "blazing", ids: ["5t2k9"], from: { id: "5t2k9", epoch: 3 } },
    reply: { channels: [CHANNEL] },
  },
  resize: { request: { call: "resize", id: "5t2k9", epoch: 3, cols: 1000, rows: 500 }, reply: CHANNEL },
  signal: { request: { call: "signal", id: "5t2k9", epoch: 3, signal: 15, foreground: true }, reply: { done: true } },
  rename: { request: { call: "rename", id: "5t2k9", epoch: 3, name: "otter" }, reply: { done: true } },
  "input.seen": {
    request: { call: "input.seen", id: "5t2k9", source: "00000000000000a1" },
    reply: { bytes: 42 },
  },
  "input.end": { request: { call: "input.end", id: "5t2k9", epoch: 3 }, reply: { done: true } },
  close: { request: { call: "close", id: "5t2k9", epoch: 3 }, reply: { done: true } },
};

const SOURCE = "0123456789abcdef";
const INPUT = { epoch: 3, source: SOURCE, bytes: Buffer.from("make\n") };
const REFUSAL = { code: "STALE_EPOCH", error: "5t2k9 is steered by frozen now." };
const FAILED: KeeperAnswer = { ok: false, code: "NAME_TAKEN", error: "The name fox is taken.", fix: "warren sessions" };
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** The value that a frame carries, and the frame. */
export const FRAMES: { [K in keyof typeof FRAME]: { value: unknown; frame: Frame } } = {
  call: {
    value: { call: "hello" },
    frame: { type: FRAME.call, channel: 0, offset: 1n, payload: json({ call: "hello" }) },
  },
  answer: { value: FAILED, frame: { type: FRAME.answer, channel: 0, offset: 1n, payload: json(FAILED) } },
  write: { value: INPUT, frame: { type: FRAME.write, channel: 7, offset: 37n, payload: encodeInput(INPUT) } },
  output: {
    value: { segment: 9, segmentBytes: 4_194_304 },
    frame: { type: FRAME.output, channel: 7, offset: 5_000_000_000n, payload: encodeJournalEnd(9, 4_194_304) },
  },
  exit: { value: EXIT, frame: { type: FRAME.exit, channel: 7, offset: 5_000_000_000n, payload: json(EXIT) } },
  ack: {
    value: { source: SOURCE },
    frame: { type: FRAME.ack, channel: 7, offset: 42n, payload: encodeReply(SOURCE) },
  },
  refused: {
    value: { source: SOURCE, refusal: REFUSAL },
    frame: { type: FRAME.refused, channel: 7, offset: 42n, payload: encodeReply(SOURCE, REFUSAL) },
  },
};

const AT = { timeMs: Date.parse("2026-05-04T03:02:01.000Z"), offset: 5_000_000_000 };

export const RECORDS: { [K in keyof typeof RECORD]: { kind: number; timeMs: number; offset: number; bytes: Buffer } } =
  {
    output: { ...AT, kind: RECORD.output, bytes: Buffer.from("hello é\r\n") },
    input: {
      ...AT,
      offset: 42,
      kind: RECORD.input,
      bytes: Buffer.concat([Buffer.from(SOURCE, "hex"), Buffer.from("{}\n")]),
    },
    size: { ...AT, kind: RECORD.size, bytes: encodeSize(1000, 500) },
    errors: { ...AT, kind: RECORD.errors, bytes: Buffer.from([0xff, 0x00]) },
    end: { ...AT, kind: RECORD.end, bytes: json(EXIT) },
  };
