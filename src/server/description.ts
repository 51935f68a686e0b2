import { join } from "node:path";
import type { Build } from "../platform/build.ts";
import { timestamp } from "../platform/clock.ts";
import type { Places } from "../platform/paths.ts";
import { bootId, readProcess } from "../platform/process.ts";
import type { DataOf } from "../protocol/messages.ts";
import type { ServerEntry } from "../registry/entries.ts";
import { serverIcon } from "../registry/names.ts";
import type { Subscriptions } from "../serving/subscriptions.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { Connection } from "./connection.ts";
import type { PrimaryParts } from "./primary-parts.ts";

/** What a server tells of itself: to its clients, and in the registry. */
export interface DescriptionOptions {
  places: Places;
  build: Build;
  name: string;
  generation: number;
  lastError: () => { at: string; message: string } | null;
  /** Where `warren debug` looks into it. */
  debugSocket: string;
  connections: ReadonlySet<Connection>;
  subscriptions: Subscriptions;
  sessions: Sessions;
  primary: PrimaryParts;
}

export class Description {
  readonly #options: DescriptionOptions;
  readonly #startedAtMs = Date.now();

  constructor(options: DescriptionOptions) {
    this.#options = options;
  }

  hello(): DataOf<"hello"> {
    const { build, name, primary } = this.#options;
    return {
      protocol: 1,
      server: name,
      version: build.version,
      git_hash: build.hash,
      primary: primary.isHeld,
      capabilities: [],
    };
  }

  entry(): ServerEntry {
    const { places, build, name, generation, debugSocket, primary, sessions } = this.#options;
    return {
      format: 1,
      oldest_reader: 1,
      name,
      icon: serverIcon(name),
      git_hash: build.hash,
      version: build.version,
      built_at_ms: build.builtAtMs,
      socket: join(places.socketDir, `${name}.sock`),
      debug_socket: debugSocket,
      pid: process.pid,
      start_ticks: readProcess(process.pid)?.startTicks ?? 0,
      boot_id: bootId(),
      started_at: timestamp(this.#startedAtMs),
      primary: primary.isHeld,
      generation,
      sessions: sessions.members(),
    };
  }

  status(): DataOf<"status"> {
    const { places, build, name, generation, lastError, connections, subscriptions, primary } = this.#options;
    const { jobs } = primary;
    return {
      server: name,
      icon: serverIcon(name),
      version: build.version,
      git_hash: build.hash,
      pid: process.pid,
      primary: primary.isHeld,
      generation,
      started_at: timestamp(this.#startedAtMs),
      uptime_ms: Date.now() - this.#startedAtMs,
      home: places.home,
      socket: join(places.socketDir, `${name}.sock`),
      client_count: connections.size,
      subscriber_count: subscriptions.subscriberCount,
      job_count: jobs?.store.jobCount() ?? 0,
      running_job_count: jobs?.runningCount ?? 0,
      run_count: jobs?.store.runCount() ?? 0,
      memory_bytes: process.memoryUsage.rss(),
      queued_bytes: [...connections].reduce((sum, { queuedBytes }) => sum + queuedBytes, 0),
      last_error: lastError(),
    };
  }
}
