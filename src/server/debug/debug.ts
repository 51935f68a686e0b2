import { join } from "node:path";
import { timestamp } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import type { DebugAnswers, DebugPhase, DebugRequest, DebugState, Fault } from "../../protocol/debug.ts";
import { debugSocketName } from "../../protocol/debug.ts";
import { unreachable } from "../../protocol/errors.ts";
import type { RoutedEvent } from "../../serving/subscriptions.ts";
import type { Connection } from "../connection.ts";
import { conversationStream } from "../conversation-stream.ts";
import { faultsRefused } from "./debug-errors.ts";
import { DebugSocket, type DebugTell } from "./debug-socket.ts";
import { EventLog } from "./event-log.ts";
import { Faults } from "./faults.ts";
import { FrameTaps } from "./frame-taps.ts";
import { clientsOf, countBy, type DebugParts, leasesOf, liveSessions, memoryOf } from "./views.ts";

/** What a generation tells of itself, and the faults that it commits when it may. It has no timer, and looks at nothing that nobody asks for. */
export interface DebugOptions {
  server: string;
  socketDir: string;
  log: Log;
  /** WARREN_FAULTS=1 */
  allowsFaults: boolean;
  /** That fault was set or cleared. */
  onPauseReads: (isPaused: boolean) => void;
}

/** What the server itself says in answer to `state`. */
export type DebugFacts = Omit<
  DebugState,
  "phase" | "phase_since" | "waits_for" | "jobs" | "sessions" | "streams" | "faults_allowed" | "faults"
>;

export class Debug {
  /** The server's log, from here on remembered as well. */
  readonly log: Log;
  readonly faults: Faults | undefined;
  readonly #options: DebugOptions;
  readonly #events = new EventLog();
  #stage: { phase: DebugPhase; waitsFor: string | undefined; sinceMs: number };
  #socket: DebugSocket | undefined;
  #taps: FrameTaps | undefined;

  constructor(options: DebugOptions) {
    this.#options = options;
    this.log = this.#events.tee(options.log);
    this.#stage = { phase: "loaded", waitsFor: undefined, sinceMs: Date.now() };
    if (options.allowsFaults) this.faults = new Faults({ onChange: (what, fault) => this.#onFault(what, fault) });
  }

  get path(): string {
    return join(this.#options.socketDir, debugSocketName(this.#options.server));
  }

  /** From now on it can be asked. */
  listen(parts: DebugParts, facts: () => DebugFacts): void {
    this.#taps = new FrameTaps(parts.connections);
    this.#socket = new DebugSocket({
      path: this.path,
      log: this.log,
      world: { answer: (request, tell, gone) => this.#answer(request, { parts, facts, tell, gone }) },
    });
    this.#socket.listen();
  }

  /** Takes its socket away. */
  close(): void {
    this.#socket?.close();
  }

  /** The server's life has come to `phase`, and waits for something there. */
  enter(phase: DebugPhase, waitsFor?: string): void {
    if (phase !== this.#stage.phase) this.#events.push("phase", phase);
    const sinceMs = phase === this.#stage.phase ? this.#stage.sinceMs : Date.now();
    this.#stage = { phase, waitsFor, sinceMs };
  }

  came(connection: Connection): void {
    this.#events.push("client", "came", { client: connection.meter.id });
    this.#taps?.came(connection);
  }

  left({ meter }: Connection): void {
    const { greeting, attached } = meter;
    this.#events.push("client", "left", { client: meter.id, ...(greeting && { name: greeting.client }), ...attached });
  }

  /** Conversations are told on streams of their own, and would leave no room for anything else. */
  published({ event: { event, stream, seq, job_id } }: RoutedEvent): void {
    if (stream.startsWith(conversationStream(""))) return;
    this.#events.push("event", event, { stream, seq, ...(job_id === undefined ? {} : { job_id }) });
  }

  #answer(
    request: DebugRequest,
    to: { parts: DebugParts; facts: () => DebugFacts; tell: DebugTell; gone: AbortSignal },
  ): DebugAnswers[DebugRequest["type"]] | Promise<DebugAnswers[DebugRequest["type"]]> {
    const { parts, facts, tell, gone } = to;
    switch (request.type) {
      case "state":
        return this.#state(parts, facts());
      case "clients":
        return { clients: clientsOf(parts) };
      case "leases":
        return leasesOf(parts).then((leases) => ({ leases }));
      case "memory":
        return memoryOf(parts);
      case "frames":
        return this.#follow(request.client, tell, gone);
      case "log":
        return this.#log(request, tell, gone);
      case "fault":
        return { faults: this.#fault(request) };
      default:
        return unreachable(request);
    }
  }

  async #state(parts: DebugParts, facts: DebugFacts): Promise<DebugState> {
    const { phase, waitsFor, sinceMs } = this.#stage;
    const jobs = parts.jobs();
    const sessions = await liveSessions(parts.sessions);
    const streams = sessions
      .filter(({ kind }) => kind === "agent")
      .map(({ id }) => [conversationStream(id), parts.sessions.agents.liveById(id)?.conversation().seq ?? 0]);
    return {
      ...facts,
      phase,
      phase_since: timestamp(sinceMs),
      waits_for: [
        ...(waitsFor === undefined ? [] : [waitsFor]),
        ...parts.keeper.waitsFor.map((call) => `the keeper: ${call}`),
      ],
      jobs: jobs ? countBy(jobs.list({}).jobs.map(({ state }) => state)) : null,
      sessions: countBy(sessions.map(({ state }) => state)),
      streams: { ...(jobs ? { jobs: jobs.store.lastSeq() } : {}), ...Object.fromEntries(streams) },
      faults_allowed: this.faults !== undefined,
      faults: this.faults?.list() ?? [],
    };
  }

  #onFault(what: "set" | "cleared" | "struck", { name, ...rest }: Fault): void {
    this.#events.push("fault", `${name} ${what}`, rest);
    if (name === "pause-reads") this.#options.onPauseReads(what === "set");
  }

  #follow(client: number | undefined, tell: DebugTell, gone: AbortSignal): DebugAnswers["frames"] {
    const { following, stop } = this.#taps!.open(client, (frame) => tell("frame", frame));
    gone.addEventListener("abort", stop, { once: true });
    return { following };
  }

  #log(
    { since, follow }: Extract<DebugRequest, { type: "log" }>,
    tell: DebugTell,
    gone: AbortSignal,
  ): DebugAnswers["log"] {
    if (follow)
      gone.addEventListener(
        "abort",
        this.#events.follow((entry) => tell("log", entry)),
        { once: true },
      );
    return this.#events.after(since);
  }

  #fault(request: Extract<DebugRequest, { type: "fault" }>): DebugAnswers["fault"]["faults"] {
    const { faults } = this;
    if (!faults && request.action === "list") return [];
    if (!faults) throw faultsRefused(this.#options.server);
    if (request.action === "set") faults.set(request.fault);
    if (request.action === "clear") faults.clear(request.name);
    return faults.list();
  }
}
