import type { Clock } from "../platform/clock.ts";
import type { WorkerAction } from "./lifecycle/actions.ts";
import { decide, needsWriting } from "./lifecycle/decide.ts";
import type { WorkerEvent } from "./lifecycle/events.ts";
import type { WorkerState } from "./lifecycle/state.ts";

/** What carries a worker's decisions out. Each answers by events, later; none throws. */
export interface WorkerHands {
  carryOut(action: Exclude<WorkerAction, { kind: "wake" }>): void;
}

export interface WorkerControlOptions {
  state: WorkerState;
  hands: WorkerHands;
  clock: Clock;
  /** Writes the state down; called before what was decided is carried out. */
  save: () => void;
  /** After each decision that changed something. */
  onChange: () => void;
}

/**
 * The loop around `decide` for one worker: one event after the other, the state written down before anything is done about it. Events that come while one is
 * being decided wait for their turn.
 */
export class WorkerControl {
  readonly #options: WorkerControlOptions;
  readonly #events: WorkerEvent[] = [];
  #state: WorkerState;
  #isDeciding = false;
  #isClosed = false;
  #cancelWake = (): void => {};

  constructor(options: WorkerControlOptions) {
    this.#options = options;
    this.#state = options.state;
  }

  get state(): WorkerState {
    return this.#state;
  }

  tell(event: WorkerEvent): void {
    this.#events.push(event);
    if (this.#isDeciding || this.#isClosed) return;
    this.#isDeciding = true;
    try {
      for (let next = this.#events.shift(); next && !this.#isClosed; next = this.#events.shift()) this.#decide(next);
    } finally {
      this.#isDeciding = false;
    }
  }

  /** Decides nothing any more: another server does. */
  close(): void {
    this.#isClosed = true;
    this.#cancelWake();
  }

  #decide(event: WorkerEvent): void {
    const { clock, hands, save, onChange } = this.#options;
    const { state, actions } = decide(this.#state, event, clock.wallMs());
    this.#state = state;
    const isNews = needsWriting(event, actions);
    if (isNews) save();
    for (const action of actions) {
      if (action.kind === "wake") this.#wakeAt(action.atMs);
      else hands.carryOut(action);
    }
    if (isNews) onChange();
  }

  #wakeAt(atMs: number): void {
    const { clock } = this.#options;
    this.#cancelWake();
    this.#cancelWake = clock.timer(Math.max(0, atMs - clock.wallMs()), () => this.tell({ kind: "tick" }));
  }
}
