import type { Jobs } from "../jobs/jobs.ts";
import type { Receipt } from "../jobs/store.ts";
import { PROTOCOL } from "../protocol/envelope.ts";
import type { DataOf, MessageType, PayloadOf } from "../protocol/messages.ts";
import * as errors from "./errors.ts";

/** What each message does: translates, and nothing else. `subscribe` and `unsubscribe` belong to the connection and are not here. */
export interface HandlerContext {
  /** Undefined in a server that is not the primary. */
  jobs: Jobs | undefined;
  server: ServerFacts;
  receipt: Receipt | undefined;
  /** Aborted when the client is gone: for messages that wait and change nothing. */
  signal: AbortSignal;
}

export interface ServerFacts {
  hello(): DataOf<"hello">;
  status(): DataOf<"status">;
  doctor(): Promise<DataOf<"doctor">>;
  version: string;
  shutdown(): void;
  /** Gives the jobs to a newer server and ends when it holds nothing else. */
  yieldTo(name: string): boolean;
  primaryName(): string | undefined;
  name: string;
}

export type Handled = Exclude<MessageType, "subscribe" | "unsubscribe">;
type Handler<T extends Handled> = (payload: PayloadOf<T>, context: HandlerContext) => DataOf<T> | Promise<DataOf<T>>;

export const handlers: { readonly [T in Handled]: Handler<T> } = {
  hello: ({ protocol }, { server }) => {
    if (protocol.max < PROTOCOL.min || protocol.min > PROTOCOL.max) throw errors.protocolMismatch(PROTOCOL, protocol);
    return { ...server.hello(), protocol: Math.min(protocol.max, PROTOCOL.max) };
  },
  ping: () => ({ message: "pong" }),
  version: (_, { server, jobs }) => ({ version: server.version, running_jobs: jobs?.runningCount ?? 0 }),
  status: (_, { server }) => server.status(),
  doctor: (_, { server }) => server.doctor(),
  list: (payload, context) => jobsOf(context).list(payload),
  "unit.list": (payload, context) => ({ units: jobsOf(context).list(payload).jobs }),
  get_job: (payload, context) => jobsOf(context).get(payload),
  stats: (payload, context) => jobsOf(context).get(payload),
  runs: (payload, context) => jobsOf(context).runs(payload),
  ports: (payload, context) => jobsOf(context).ports(payload),
  why: (payload, context) => jobsOf(context).why(payload),
  wait: (payload, context) => jobsOf(context).wait(payload, context.signal),
  add: (payload, context) => jobsOf(context).add(payload, context.receipt),
  run: (payload, context) => jobsOf(context).add(payload, context.receipt),
  create: (payload, context) => jobsOf(context).create(payload, context.receipt),
  start: (payload, context) => jobsOf(context).startJob(payload, context.receipt),
  restart: (payload, context) => jobsOf(context).restart(payload, context.receipt),
  stop: (payload, context) => jobsOf(context).stop(payload, context.receipt),
  stop_all: (payload, context) => jobsOf(context).stopAll(payload, context.receipt),
  signal: (payload, context) => jobsOf(context).signal(payload, context.receipt),
  remove: (payload, context) => jobsOf(context).remove(payload, context.receipt),
  remove_run: (payload, context) => jobsOf(context).removeRun(payload, context.receipt),
  cleanup: (payload, context) => jobsOf(context).cleanup(payload, context.receipt),
  up: (payload, context) => jobsOf(context).up(payload, context.receipt),
  down: (payload, context) => jobsOf(context).down(payload, context.receipt),
  nuke: async (payload, context) => {
    const counts = await jobsOf(context).nuke(payload);
    context.server.shutdown();
    return counts;
  },
  shutdown: (_, { server, jobs }) => {
    server.shutdown();
    return { message: "shutting down", running_jobs: jobs?.runningCount ?? 0 };
  },
  "server.yield": ({ to }, { server }) => ({ yielded: server.yieldTo(to) }),
};

function jobsOf({ jobs, server }: HandlerContext): Jobs {
  if (!jobs) throw errors.notPrimary(server.name, server.primaryName());
  return jobs;
}
