import type { Gateways } from "../gateway/gateways.ts";
import type { WorkerCommand } from "../gateway/lifecycle/events.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { Receipt } from "../jobs/store.ts";
import { PROTOCOL } from "../protocol/envelope.ts";
import type { mailMessages } from "../protocol/mail-messages.ts";
import type { DataOf, MessageType, PayloadOf } from "../protocol/messages.ts";
import type { remoteMessages } from "../protocol/remote-messages.ts";
import type { Sessions } from "../sessions/sessions.ts";
import * as errors from "./errors.ts";
import { jobLog } from "./job-log.ts";
import type { ServerMail } from "./mail.ts";
import { completed, completedSession, type OwnEnvironment } from "./own-environment.ts";
import type { SessionUsage } from "./session-usage.ts";
import { findUnits, listUnits } from "./units.ts";
import { workerLog } from "./worker-log.ts";

/**
 * What each message does: translates, and nothing else. Those that belong to the connection (`subscribe`, `session.attach`) are not here, nor those of the
 * mailbox, which its leader answers (`mail-forward.ts`), nor those of devices and hubs (`remote-handlers.ts`).
 */
export interface HandlerContext {
  /** Undefined in a server that is not the primary. */
  jobs: Jobs | undefined;
  /** As `jobs`. */
  gateways: Gateways | undefined;
  sessions: Sessions;
  server: ServerFacts;
  mail: Pick<ServerMail, "unread">;
  usage: Pick<SessionUsage, "measured">;
  /** Of a request that changes something, when its client gave one. */
  requestId: string | undefined;
  receipt: Receipt | undefined;
  /** Of a client that is not on this machine: what it may leave out. */
  own?: OwnEnvironment | undefined;
  /** Aborted when the client is gone: for messages that wait and change nothing. */
  signal: AbortSignal;
}

export interface ServerFacts {
  hello(): DataOf<"hello">;
  status(): DataOf<"status">;
  doctor(): Promise<DataOf<"doctor">>;
  version: string;
  /** @throws SESSIONS_LIVE without `force` */
  shutdown(force: boolean): Promise<void>;
  /** Becomes the primary when no server of this home is. */
  claimJobs(): Promise<void>;
  /** Gives the jobs to a newer server and ends when it holds nothing else. */
  yieldTo(name: string): boolean;
  primaryName(): string | undefined;
  name: string;
  /** The hash of the build that it runs. */
  build: string;
}

export type Handled = Exclude<
  MessageType,
  "subscribe" | "unsubscribe" | "session.attach" | keyof typeof mailMessages | keyof typeof remoteMessages
>;
type Handler<T extends Handled> = (payload: PayloadOf<T>, context: HandlerContext) => DataOf<T> | Promise<DataOf<T>>;

export const handlers: { readonly [T in Handled]: Handler<T> } = {
  hello: ({ protocol }, { server }) => ({ ...server.hello(), protocol: Math.min(protocol.max, PROTOCOL.max) }),
  ping: () => ({ message: "pong" }),
  version: (_, { server, jobs }) => ({ version: server.version, running_jobs: jobs?.runningCount ?? 0 }),
  status: (_, { server }) => server.status(),
  doctor: (_, { server }) => server.doctor(),
  list: (payload, context) => jobsOf(context).list(payload),
  "unit.list": (payload, context) => listUnits(payload, { jobs: jobsOf(context), gateways: context.gateways }),
  "unit.find": (payload, context) => findUnits(payload, { jobs: jobsOf(context), gateways: context.gateways }),
  get_job: (payload, context) => jobsOf(context).get(payload),
  stats: (payload, context) => jobsOf(context).get(payload),
  runs: (payload, context) => jobsOf(context).runs(payload),
  "job.log": (payload, context) => jobLog(jobsOf(context), payload, context.signal),
  ports: (payload, context) => jobsOf(context).ports(payload),
  why: (payload, context) => jobsOf(context).why(payload),
  wait: (payload, context) => jobsOf(context).wait(payload, context.signal),
  add: (payload, context) => jobsOf(context).add(completed(payload, context.own), context.receipt),
  run: (payload, context) => jobsOf(context).add(completed(payload, context.own), context.receipt),
  create: (payload, context) => jobsOf(context).create(completed(payload, context.own), context.receipt),
  start: (payload, context) => jobsOf(context).startJob(payload, context.receipt, context.own?.env),
  restart: (payload, context) => jobsOf(context).restart(payload, context.receipt, context.own?.env),
  stop: (payload, context) => jobsOf(context).stop(payload, context.receipt),
  stop_all: (payload, context) => jobsOf(context).stopAll(payload, context.receipt),
  signal: (payload, context) => jobsOf(context).signal(payload, context.receipt),
  remove: (payload, context) => jobsOf(context).remove(payload, context.receipt),
  remove_run: (payload, context) => jobsOf(context).removeRun(payload, context.receipt),
  cleanup: (payload, context) => jobsOf(context).cleanup(payload, context.receipt),
  up: (payload, context) => jobsOf(context).up(payload, context.receipt),
  down: (payload, context) => jobsOf(context).down(payload, context.receipt),
  nuke: async (payload, context) => {
    const { sessions, server } = context;
    const jobs = jobsOf(context); // of a server without them, nothing is half done
    const ended = await sessions.endAll({
      force: false,
      ...(payload.grace_ms === undefined ? {} : { graceMs: payload.grace_ms }),
    });
    const served = await context.gateways?.downAll(payload.grace_ms);
    const counts = await jobs.nuke(payload);
    await server.shutdown(true);
    return { ...counts, sessions: ended, ...(served ? { gateways: served } : {}) };
  },
  shutdown: async ({ force }, { server, jobs }) => {
    const running_jobs = jobs?.runningCount ?? 0;
    await server.shutdown(force === true);
    return { message: "shutting down", running_jobs };
  },
  "session.new": (payload, { sessions, requestId, own }) => sessions.create(completedSession(payload, own), requestId),
  "session.list": async (payload, { sessions, mail, usage }) => {
    const listed = await withUnread(await sessions.list(payload), mail);
    return payload.usage ? { sessions: usage.measured(listed.sessions) } : listed;
  },
  "session.get": (payload, { sessions }) => sessions.get(payload),
  "session.send": (payload, { sessions, requestId }) => sessions.send(payload, requestId),
  "session.stop": (payload, { sessions }) => sessions.stop(payload),
  "session.signal": (payload, { sessions }) => sessions.signal(payload),
  "session.rename": (payload, { sessions }) => sessions.rename(payload),
  "session.remove": (payload, { sessions, requestId }) => sessions.remove(payload, requestId),
  "session.wait": (payload, { sessions, signal }) => sessions.wait(payload, signal),
  "session.screen": (payload, { sessions }) => sessions.screen(payload),
  "session.journal": (payload, { sessions, signal }) => sessions.journal(payload, signal),
  "session.resume": (payload, { sessions, requestId }) => sessions.resume(payload, requestId),
  "session.move": (payload, { sessions }) => sessions.move(payload),
  "session.take": (payload, { sessions }) => sessions.take(payload),
  "session.prompt": (payload, { sessions, requestId }) => sessions.agents.prompt(payload, requestId),
  "session.answer": (payload, { sessions, requestId }) => sessions.agents.answer(payload, requestId),
  "session.cancel": (payload, { sessions }) => sessions.agents.cancel(payload),
  "session.mode": (payload, { sessions }) => sessions.agents.mode(payload),
  "session.login": (payload, { sessions }) => sessions.agents.login(payload),
  "session.conversation": (payload, { sessions }) => sessions.agents.conversation(payload),
  "gateway.up": (payload, context) => gatewaysOf(context).up(payload),
  "gateway.down": (payload, context) => gatewaysOf(context).down(payload),
  "gateway.status": (payload, context) => gatewaysOf(context).status(payload),
  "gateway.mode": (payload, context) => gatewaysOf(context).mode(payload),
  "gateway.refresh": (payload, context) => gatewaysOf(context).refresh(payload, context.signal),
  "gateway.pause": (payload, context) => tellWorker(context, payload, { verb: "pause" }),
  "gateway.unpause": (payload, context) => tellWorker(context, payload, { verb: "unpause" }),
  "gateway.drain": (payload, context) => tellWorker(context, payload, { verb: "drain" }),
  "gateway.stop": (payload, context) => tellWorker(context, payload, { verb: "stop" }),
  "gateway.start": (payload, context) => tellWorker(context, payload, { verb: "start" }),
  "gateway.restart": (payload, context) => tellWorker(context, payload, { verb: "restart" }),
  "gateway.rollback": ({ version, ...which }, context) =>
    tellWorker(context, which, { verb: "rollback", ...(version === undefined ? {} : { to: version }) }),
  "gateway.build": (payload, context) => tellWorker(context, payload, { verb: "build" }),
  "gateway.settled": (payload, context) => gatewaysOf(context).settled(payload, context.signal),
  "gateway.wait": (payload, context) => gatewaysOf(context).wait(payload, context.signal),
  "gateway.artefacts": (payload, context) => gatewaysOf(context).artefacts(payload, context.signal),
  "gateway.log": (payload, context) => workerLog(gatewaysOf(context), payload, context.signal),
  "gateway.metrics": (payload, context) => gatewaysOf(context).metrics(payload),
  "server.yield": ({ to }, { server }) => ({ yielded: server.yieldTo(to) }),
};

async function withUnread(
  { sessions }: DataOf<"session.list">,
  mail: HandlerContext["mail"],
): Promise<DataOf<"session.list">> {
  const unread = await mail.unread();
  return {
    sessions: sessions.map((session) => {
      const count = unread.get(session.name) ?? 0;
      return count === 0 ? session : { ...session, unread: count };
    }),
  };
}

function gatewaysOf({ gateways, server }: HandlerContext): Gateways {
  if (!gateways) throw errors.notPrimary(server.name, server.primaryName());
  return gateways;
}

const tellWorker = (
  context: HandlerContext,
  which: { worker: string; workdir?: string | undefined },
  command: WorkerCommand,
): Promise<DataOf<"gateway.stop">> => gatewaysOf(context).command(which, command, context.requestId);

function jobsOf({ jobs, server }: HandlerContext): Jobs {
  if (!jobs) throw errors.notPrimary(server.name, server.primaryName());
  return jobs;
}
