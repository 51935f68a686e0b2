import type { Client } from "../../client/client.ts";
import type { SubscriptionItem } from "../../client/subscription.ts";
import { Backoff } from "../../protocol/backoff.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/units.ts";
import { appClient } from "../link/app-client.ts";
import type { Machine } from "../link/machine.ts";
import type { HomeAction, HomeServer } from "../model/home.ts";
import { ServerFeed } from "./server-feed.ts";
import { sessionAction } from "./session-actions.ts";

/**
 * Keeps a home's store true: follows the streams of its primary server (jobs, workers, sessions) and, at each other server that has sessions, those. It asks nothing again and again; what
 * was missed while the way was cut comes as events or as a new snapshot.
 *
 * 1. A server that does not answer holds up no other.
 * 2. After `close` nothing is dispatched.
 */
export interface HomeFeedOptions {
  machine: Machine;
  version: string;
  dispatch: (action: HomeAction) => void;
  nowMs?: () => number;
}

const STREAMS = ["jobs", "gateway", "sessions"];
const RETRY = { firstMs: 500, maxMs: 5_000 };
/** Several events of the gateway are one look at it. */
const GATHER_MS = 100;

export class HomeFeed {
  /** For requests to the primary. */
  readonly client: Client;
  readonly #options: HomeFeedOptions;
  readonly #closing = new AbortController();
  /** By server, each with the session by which it is reached. */
  readonly #others = new Map<string, { target: string; feed: ServerFeed }>();
  readonly #nowMs: () => number;
  #primary = "";
  #gathering: ReturnType<typeof setTimeout> | undefined;
  #wake: () => void = () => {};
  #unwatch: () => void;
  #isWayLive = false;
  /** The machine's own word, or its hubs': that it does not answer besides says nothing more. */
  #isRefused = false;
  #isHeard = false;

  constructor(options: HomeFeedOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    const { machine, version } = options;
    this.client = appClient(machine.dialLines(), version, {
      onConnection: (state) => (state === "lost" ? this.#onLost() : this.#onBack()),
    });
    this.#unwatch = machine.watch((way) => {
      this.#isWayLive = way.kind === "live";
      this.#isRefused = way.kind === "refused";
      if (way.kind !== "live") this.#tellWay(way);
      if (way.kind === "live" || way.kind === "connecting") this.#wake();
    });
    void this.#run();
  }

  /** Looks again now: somebody has come back to the page. */
  hurry(): void {
    this.#options.machine.hurry();
    this.#wake();
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#gathering);
    this.#unwatch();
    this.#wake();
    for (const { feed } of this.#others.values()) feed.close();
    this.client.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const backoff = new Backoff(RETRY);
    while (!signal.aborted) {
      try {
        for await (const item of this.client.subscribe({ streams: STREAMS }, signal)) {
          backoff.reset();
          this.#hear(item);
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#isHeard = false;
        if (this.#isWayLive || isWarrenError(error, "DEVICE_REFUSED")) this.#tellFailed(error);
        else if (isWarrenError(error, "MACHINE_AWAY") && !this.#isRefused)
          this.#tellWay({ kind: "away", why: error.message });
      }
      await this.#pause(backoff.nextMs());
    }
  }

  #hear(item: SubscriptionItem): void {
    if (this.#closing.signal.aborted) return;
    if (!this.#isHeard) {
      this.#isHeard = true;
      this.#tellWay({ kind: "live" });
    }
    const stream = item.kind === "snapshot" ? item.stream : item.event.stream;
    if (stream === "gateway") return this.#lookAtGateways();
    if (stream === "jobs") return this.#hearJobs(item);
    if (item.kind === "snapshot") {
      const { sessions, servers } = item.snapshot as { sessions: Session[]; servers: HomeServer[] };
      this.#hearServers(servers);
      return this.#dispatch({ type: "sessions", server: this.#primary, sessions, nowMs: this.#nowMs() });
    }
    const { event, data } = item.event;
    if (event === "servers_changed") return this.#hearServers(data.servers as HomeServer[]);
    this.#dispatch(sessionAction(this.#primary, event, data, this.#nowMs()));
  }

  #hearJobs(item: SubscriptionItem): void {
    const nowMs = this.#nowMs();
    if (item.kind === "event") return this.#dispatch({ type: "job-event", event: item.event, nowMs });
    const { jobs } = item.snapshot as { jobs: [] };
    this.#dispatch({ type: "jobs", jobs, nowMs });
  }

  #hearServers(servers: readonly HomeServer[]): void {
    const { machine, version } = this.#options;
    this.#primary = servers.find(({ primary }) => primary)?.name ?? "primary";
    const wanted = new Map(
      servers.flatMap(({ name, primary, sessions }) =>
        primary || sessions.length === 0 ? [] : [[name, sessions] as const],
      ),
    );
    for (const [name, { target, feed }] of this.#others) {
      if (wanted.get(name)?.includes(target)) continue;
      feed.close();
      this.#others.delete(name);
    }
    for (const [name, sessions] of wanted) {
      if (this.#others.has(name)) continue;
      const target = sessions[0]!;
      const dispatch = (action: HomeAction): void => this.#dispatch(action);
      const feed = new ServerFeed({ machine, version, server: name, target, dispatch, nowMs: this.#nowMs });
      this.#others.set(name, { target, feed });
    }
    this.#dispatch({ type: "servers", servers, nowMs: this.#nowMs() });
  }

  #lookAtGateways(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.client.request("gateway.status", {}, { signal: this.#closing.signal }).then(
        ({ gateways }) => this.#dispatch({ type: "gateways", gateways, nowMs: this.#nowMs() }),
        () => {}, // with the connection gone the stream begins anew, and this with it
      );
    }, GATHER_MS);
  }

  /** The subscription goes on; where nothing was missed, nothing is said of that. */
  #onBack(): void {
    if (this.#isHeard || this.#closing.signal.aborted) return;
    this.#isHeard = true;
    this.#tellWay({ kind: "live" });
  }

  #onLost(): void {
    this.#isHeard = false;
    if (this.#isWayLive) this.#tellWay({ kind: "connecting" });
  }

  #tellFailed(error: unknown): void {
    const fix = isWarrenError(error) ? error.fix : undefined;
    if (isWarrenError(error, "NO_SERVER")) this.#tellWay({ kind: "no-server", fix: fix ?? "warren ping" });
    else if (isWarrenError(error, "DEVICE_REFUSED")) this.#tellWay({ kind: "refused" });
    else if (isWarrenError(error, "CONNECTION_LOST")) this.#tellWay({ kind: "away" });
    else if (isWarrenError(error, "MACHINE_AWAY")) this.#tellWay({ kind: "away", why: error.message });
    else this.#tellWay({ kind: "failed", text: messageOf(error), fix });
  }

  #tellWay(way: Extract<HomeAction, { type: "way" }>["way"]): void {
    this.#dispatch({ type: "way", way, nowMs: this.#nowMs() });
  }

  #dispatch(action: HomeAction | undefined): void {
    if (action && !this.#closing.signal.aborted) this.#options.dispatch(action);
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
