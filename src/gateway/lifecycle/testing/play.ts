import type { BuildFailure, FrontWorker } from "../../../protocol/front-messages.ts";
import type { ReportName, WorkerAction } from "../actions.ts";
import { decide } from "../decide.ts";
import type { WorkerCommand, WorkerEvent } from "../events.ts";
import { drainingOf, frontWorkerOf } from "../front-record.ts";
import { specOf, type WorkerSpec } from "../spec.ts";
import { initialState, type WorkerState } from "../state.ts";
import { summaryOf } from "../summary.ts";

/** How the world answers an action: with an event, or not at all. */
export type Reply<K extends WorkerAction["kind"]> = (
  action: Extract<WorkerAction, { kind: K }>,
  play: Play,
) => WorkerEvent | undefined;

export type Replies = { [K in WorkerAction["kind"]]?: Reply<K> };

/**
 * A worker in a world where all goes well, unless a test says otherwise: builds succeed, processes start and answer, the front agrees, nothing is in flight.
 * Time passes only when the test says so.
 */
export class Play {
  state: WorkerState;
  nowMs = 1_700_000_000_000;
  replies: Replies;
  /** Everything that was decided, in order. */
  readonly actions: WorkerAction[] = [];
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #nextPort = 9_000;

  constructor(spec: Partial<WorkerSpec> = {}, replies: Replies = {}) {
    this.state = initialState(specOf({ name: "api", kind: "command", ...spec }));
    this.replies = replies;
  }

  /** A worker that serves version v1 and is through with its probation. */
  static healthy(spec: Partial<WorkerSpec> = {}): Play {
    const play = new Play(spec);
    play.sources("v1");
    play.pass(60_000);
    play.actions.length = 0;
    return play;
  }

  /** Tells an event and whatever the world answers, until it is quiet. */
  say(event: WorkerEvent): void {
    const events: WorkerEvent[] = [event];
    for (let next = events.shift(); next; next = events.shift()) {
      const { state, actions } = decide(this.state, next, this.nowMs);
      this.state = JSON.parse(JSON.stringify(state));
      for (const action of actions) {
        this.actions.push(action);
        if (action.kind === "wake") this.#wakeAtMs = action.atMs;
        const reply = this.#replyTo(action);
        if (reply) events.push(reply);
      }
    }
  }

  command(command: WorkerCommand): void {
    this.say({ kind: "command", command });
  }

  sources(version: string, change = 0): void {
    this.say({ kind: "sources", change, version });
  }

  /** Lets time pass, waking when that was ordered. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (let count = 0; this.#wakeAtMs <= untilMs; count++) {
      if (count > 10_000) throw new Error("wakes again and again");
      this.nowMs = Math.max(this.nowMs, this.#wakeAtMs);
      this.#wakeAtMs = Number.POSITIVE_INFINITY;
      this.say({ kind: "tick" });
    }
    this.nowMs = untilMs;
  }

  /** The first instance of the current release, or the given one, ends. */
  exit(instance = this.serving()[0]!, status = 1): void {
    this.say({ kind: "exited", instance, outcome: { kind: "exited", status }, leftCount: 0, output: ["boom"] });
  }

  get front(): FrontWorker {
    return frontWorkerOf(this.state);
  }

  get summary(): string {
    return summaryOf(this.state).state;
  }

  get draining(): string[] {
    return drainingOf(this.state);
  }

  /** Ids that get new requests. */
  serving(): string[] {
    return this.front.instances.map(({ id }) => id);
  }

  versionServed(): string | undefined {
    return this.front.state === "serving" ? this.front.instances[0]?.version : undefined;
  }

  of<K extends WorkerAction["kind"]>(kind: K): Extract<WorkerAction, { kind: K }>[] {
    return this.actions.filter((action): action is Extract<WorkerAction, { kind: K }> => action.kind === kind);
  }

  reports(name: ReportName): Record<string, unknown>[] {
    return this.of("report").flatMap((action) => (action.name === name ? [action.fields] : []));
  }

  #replyTo(action: WorkerAction): WorkerEvent | undefined {
    const own = this.replies[action.kind] as Reply<typeof action.kind> | undefined;
    return own ? own(action as never, this) : this.#goodReply(action);
  }

  #goodReply(action: WorkerAction): WorkerEvent | undefined {
    switch (action.kind) {
      case "look":
        return this.state.source === null ? undefined : { kind: "sources", change: 0, version: this.state.source };
      case "build":
        return { kind: "built", version: action.version };
      case "start":
        return { kind: "started", instance: action.instance, pid: 100, port: this.#nextPort++ };
      case "stop":
        return { kind: "gone", instance: action.instance };
      case "publish":
        return { kind: "applied", publication: action.publication };
      case "probe":
        return { kind: "probed", instance: action.instance, isOk: true, status: 200 };
      default:
        return undefined;
    }
  }
}

export const buildFailure = (message: string): BuildFailure => ({
  worker: "api",
  at: "2026-11-21T00:00:00.000Z",
  phase: "build",
  message,
  places: [{ file: "workers/api/src/main.ts", line: 3, column: 7, message, frame: ["3 | let x ="] }],
  output: [],
});
