import { timestamp } from "../../platform/clock.ts";
import type { DataOf, MessageType, PayloadOf } from "../../protocol/messages.ts";
import type { By, PerformType, ReadType } from "../log/operations.ts";
import { handingOver } from "./errors.ts";
import type { LeaderFacts } from "./leader-facts.ts";
import type { LeaderLog } from "./leader-log.ts";
import { WAIT_MS_MAX } from "./limits.ts";
import type { Peer } from "./peer.ts";
import { mailFor, receiptsOf, type Waits } from "./waits.ts";

/** What each message does: translates, and waits where it may wait. */
export interface MailContext {
  log: LeaderLog;
  waits: Waits;
  facts: LeaderFacts;
  peer: Peer;
  requestId: string | undefined;
  nowMs: () => number;
  monotonicMs: () => number;
  /** Aborted when the client is gone. */
  signal: AbortSignal;
}

type Handler<T extends MessageType> = (payload: PayloadOf<T>, context: MailContext) => DataOf<T> | Promise<DataOf<T>>;

export type MailHandled = Extract<MessageType, `mail.${string}`> | "hello" | "ping" | "version" | "shutdown";

export const mailHandlers: { readonly [T in MailHandled]: Handler<T> } = {
  hello: (payload, { facts }) => facts.hello(payload),
  ping: () => ({ message: "pong" }),
  version: (_, { facts }) => ({ version: facts.version, running_jobs: 0 }),
  shutdown: (_, { facts }) => {
    facts.shutdown();
    return { message: "shutting down", running_jobs: 0 };
  },
  "mail.register": (payload, context) => register(payload, context),
  "mail.unregister": async (payload, context) => {
    const answer = await perform("mail.unregister", payload, context);
    if (context.peer.name === payload.name) context.peer.name = undefined;
    return answer;
  },
  "mail.rename": async (payload, context) => {
    const { peer } = context;
    const old = payload.as ?? peer.name;
    const answer = await perform("mail.rename", payload, context);
    if (peer.name === old) peer.name = payload.name;
    return answer;
  },
  "mail.groups": (payload, context) => perform("mail.groups", payload, context),
  "mail.send": (payload, context) => perform("mail.send", payload, context),
  "mail.reply": (payload, context) => perform("mail.reply", payload, context),
  "mail.fetch": (payload, context) => fetch(payload, context),
  "mail.ack": (payload, context) => perform("mail.ack", payload, context),
  "mail.nak": (payload, context) => perform("mail.nak", payload, context),
  "mail.extend": (payload, context) => perform("mail.extend", payload, context),
  "mail.ping": (payload, context) => perform("mail.ping", payload, context),
  "mail.import": (payload, context) => perform("mail.import", payload, context),
  "mail.prune": (payload, context) => perform("mail.prune", payload, context),
  "mail.wait": (payload, context) => wait(payload, context),
  "mail.list": async (payload, context) => {
    const { participants } = await read("mail.list", payload, context);
    return { participants: context.facts.withPresence(participants) };
  },
  "mail.history": (payload, context) => read("mail.history", payload, context),
  "mail.export": (payload, context) => read("mail.export", payload, context),
  "mail.status": async (_, { facts }) => ({ status: await facts.status() }),
  "mail.machines": async (_, { facts }) => ({ machines: await facts.machines.list() }),
  "mail.join_machines": async (payload, { facts }) => ({ machines: await facts.machines.join(payload) }),
  "mail.leave_machines": async (_, { facts }) => ({ machines: await facts.machines.leave() }),
  "mail.backup": async ({ path }, { log }) => ({ ...(await log.backup(path)) }),
  "mail.join": ({ states, ...member }, { peer, facts, nowMs }) => {
    const isNew = peer.member === undefined;
    peer.member = { ...member, since: peer.member?.since ?? timestamp(nowMs()) };
    peer.states = member.kind === "server" && states ? states : {};
    if (isNew) facts.joined(peer);
    return { members: facts.members(), epoch: facts.epoch, leader: facts.leader() };
  },
  "mail.yield": async (payload, { facts, peer }) => {
    peer.isKept = true;
    return { status: await facts.yieldLead(payload) };
  },
};

function byOf(payload: object, { peer }: MailContext): By {
  const { as } = payload as { as?: string };
  return peer.by(as);
}

async function perform<T extends PerformType & MessageType>(
  type: T,
  payload: PayloadOf<T>,
  context: MailContext,
): Promise<DataOf<T>> {
  const { log, requestId, nowMs } = context;
  const operation = { type, payload, by: byOf(payload, context), requestId, nowMs: nowMs() };
  return (await log.perform<PerformType>(operation as never)).answer as DataOf<T>;
}

async function read<T extends ReadType & MessageType>(
  type: T,
  payload: PayloadOf<T>,
  context: MailContext,
): Promise<DataOf<T>> {
  const { log, nowMs } = context;
  return (await log.read<ReadType>({
    type,
    payload,
    by: byOf(payload, context),
    nowMs: nowMs(),
  } as never)) as DataOf<T>;
}

/** What comes behind it on the same connection is said by the name already; the log refuses it when this is refused. */
async function register(payload: PayloadOf<"mail.register">, context: MailContext): Promise<DataOf<"mail.register">> {
  const { peer } = context;
  const before = peer.name;
  peer.name = payload.name;
  const holder =
    payload.pid === undefined && payload.unit === undefined && peer.pid !== undefined
      ? { pid: peer.pid, pid_start: peer.pidStart! }
      : {};
  try {
    return await perform("mail.register", { ...payload, ...holder }, context);
  } catch (error) {
    if (peer.name === payload.name) peer.name = before;
    throw error;
  }
}

/** Nothing was fetched: nothing was stored under its request id either, so it is asked again when something has come. */
async function fetch(payload: PayloadOf<"mail.fetch">, context: MailContext): Promise<DataOf<"mail.fetch">> {
  const { waits, facts, peer, monotonicMs, signal } = context;
  const name = byOf(payload, context).name;
  peer.hasFetched ||= payload.peek !== true;
  const waitMs = Math.min(payload.wait_ms ?? 0, WAIT_MS_MAX);
  if (waitMs <= 0 || name === undefined) return perform("mail.fetch", payload, context);
  const untilMs = monotonicMs() + waitMs;
  using mail = waits.listen(mailFor(name));
  using _ = facts.waitsForMail(name);
  for (;;) {
    const answer = await perform("mail.fetch", payload, context);
    if (answer.messages.length > 0) return answer;
    const hasCome = await mail.next(untilMs - monotonicMs(), signal);
    if (signal.aborted) throw handingOver(); // asked again at the next leader, or the client is gone
    if (!hasCome) return answer;
  }
}

async function wait(payload: PayloadOf<"mail.wait">, context: MailContext): Promise<DataOf<"mail.wait">> {
  const { waits, monotonicMs, signal } = context;
  const untilMs = monotonicMs() + Math.min(payload.timeout_ms ?? WAIT_MS_MAX, WAIT_MS_MAX);
  using receipts = waits.listen(receiptsOf(payload.id));
  for (;;) {
    const answer = await read("mail.wait", payload, context);
    if (answer.result !== "timed_out") return answer;
    const hasCome = await receipts.next(untilMs - monotonicMs(), signal);
    if (signal.aborted) throw handingOver();
    if (!hasCome) return answer;
  }
}
