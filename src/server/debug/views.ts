import { setTimeout as delay } from "node:timers/promises";
import type { Jobs } from "../../jobs/jobs.ts";
import { keeperSilent } from "../../local/keeper-client.ts";
import { timestamp } from "../../platform/clock.ts";
import type { DebugClient, DebugLease, DebugMemory } from "../../protocol/debug.ts";
import type { KeeperChannel } from "../../protocol/keeper-calls.ts";
import type { Session } from "../../protocol/units.ts";
import type { Subscriptions } from "../../serving/subscriptions.ts";
import { isCommand, sessionIdOf } from "../../sessions/session-ids.ts";
import type { Sessions } from "../../sessions/sessions.ts";
import type { Connection } from "../connection.ts";
import type { KeeperLink } from "../keeper-link.ts";

/** What a debug socket tells of a server's parts. Nothing of it is kept: it is looked up when somebody asks. */
export interface DebugParts {
  server: string;
  connections: () => Iterable<Connection>;
  subscriptions: Subscriptions;
  sessions: Sessions;
  jobs: () => Jobs | undefined;
  keeper: KeeperLink;
}

const KEEPER_TIMEOUT_MS = 1_000;
/** A screen that does not catch up within this time is behind. */
const SCREEN_TIMEOUT_MS = 500;
/** A session that was silent for longer has a screen that is up to date, and perhaps on disk only: it is left there. */
const ACTIVE_WITHIN_MS = 30_000;

export const clientsOf = ({ connections, subscriptions }: DebugParts): DebugClient[] =>
  [...connections()].map((connection) => {
    const { meter } = connection;
    return {
      id: meter.id,
      since: timestamp(meter.sinceMs),
      ...meter.greeting,
      in_hand_count: connection.inHandCount,
      streams: subscriptions.streamsOf(connection),
      ...(meter.attached ? { attached: meter.attached } : {}),
      queued_bytes: connection.queuedBytes,
      lines_in: meter.lineInCount,
      lines_out: meter.lineOutCount,
      frames_out: meter.frameOutCount,
      screens_out: meter.screenOutCount,
      skipped_bytes: meter.skippedBytes,
    } as DebugClient;
  });

/** The channels that this server steers. @throws KEEPER_SILENT, KEEPER_LOST */
export async function leasesOf({ server, keeper, sessions }: DebugParts): Promise<DebugLease[]> {
  const live = new Map((await liveSessions(sessions)).map((session) => [session.id, session]));
  const { channels } = await within(keeper.call({ call: "channels" }), KEEPER_TIMEOUT_MS);
  const ours = channels.filter((channel) => channel.server === server);
  return Promise.all(ours.map((channel) => leaseOf(channel, live, sessions)));
}

async function leaseOf(
  channel: KeeperChannel,
  live: ReadonlyMap<string, Session>,
  sessions: Sessions,
): Promise<DebugLease> {
  const session = live.get(sessionIdOf(channel.id));
  const isMain = session !== undefined && !isCommand(channel.id);
  const isActive = session !== undefined && Date.now() - Date.parse(session.active_at) < ACTIVE_WITHIN_MS;
  const name = channel.name ?? session?.name;
  return {
    channel: channel.channel,
    id: channel.id,
    ...(name === undefined ? {} : { name }),
    kind: channel.kind,
    pid: channel.pid,
    epoch: channel.epoch,
    output_bytes: channel.output,
    input_bytes: channel.input,
    ...(isMain ? { told_bytes: session.output_bytes } : {}),
    ...(isMain && isActive && channel.kind === "terminal" && !channel.exit
      ? { screen_bytes: await screenBytes(sessions, session.id) }
      : {}),
    segment: channel.segment,
    segment_bytes: channel.segmentBytes,
    ...(channel.stalled === undefined ? {} : { stalled: channel.stalled }),
    ended: channel.exit !== null,
  };
}

export async function memoryOf({ connections, sessions }: DebugParts): Promise<DebugMemory> {
  const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
  return {
    rss_bytes: rss,
    heap_used_bytes: heapUsed,
    heap_total_bytes: heapTotal,
    external_bytes: external,
    array_buffer_bytes: arrayBuffers,
    queued_bytes: [...connections()].reduce((sum, { queuedBytes }) => sum + queuedBytes, 0),
    threads: threads(),
    screens: (await liveSessions(sessions))
      .filter(({ kind }) => kind === "session")
      .map(({ name, cols, rows, output_bytes }) => ({ session: name, cols, rows, output_bytes })),
  };
}

export const liveSessions = async (sessions: Sessions): Promise<Session[]> => (await sessions.list({})).sessions;

export function countBy<T extends string>(states: Iterable<T>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const state of states) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

/** Null when it did not catch up in time; undefined would be a session that ended meanwhile. */
async function screenBytes(sessions: Sessions, id: string): Promise<number | null> {
  const late = new AbortController();
  try {
    return await Promise.race([
      sessions.screenOffset(id).catch(() => null),
      delay(SCREEN_TIMEOUT_MS, null, { signal: late.signal, ref: false }),
    ]);
  } finally {
    late.abort();
  }
}

async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  const late = new AbortController();
  try {
    return await Promise.race([
      promise,
      delay(timeoutMs, undefined, { signal: late.signal, ref: false }).then(() => {
        throw keeperSilent(timeoutMs);
      }),
    ]);
  } finally {
    late.abort();
  }
}

/** What node's diagnostic report says of its workers: there is no other way to their figures from outside (about 4 ms). */
function threads(): DebugMemory["threads"] {
  // Else it asks the resolver for names. Neither is in the types yet.
  Object.assign(process.report, { excludeNetwork: true, excludeEnv: true });
  const { workers = [] } = process.report.getReport() as {
    workers?: { header: { threadId: number }; javascriptHeap: Record<string, number> }[];
  };
  return workers.map(({ header, javascriptHeap }) => ({
    id: header.threadId,
    heap_used_bytes: javascriptHeap.usedMemory ?? 0,
    heap_total_bytes: javascriptHeap.totalCommittedMemory ?? javascriptHeap.totalMemory ?? 0,
    external_bytes: javascriptHeap.externalMemory ?? 0,
  }));
}
