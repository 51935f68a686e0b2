import type { WorkerEvent } from "../events.ts";
import type { WorkerState } from "../state.ts";
import type { Random } from "./random.ts";

/** What the parts of the model world share: time, chance, and the server that they tell things to. */
export interface Surroundings {
  readonly nowMs: number;
  /** Of the step that is being made. */
  readonly random: Random;
  /** The server's, as it is now. */
  readonly state: WorkerState;
  /** What must not have happened. */
  readonly broken: string[];
  later(ms: number, run: () => void): void;
  /** Tells what `event` makes then, but only to the server that is there now. */
  answer(ms: number, event: () => WorkerEvent | undefined): void;
  tell(event: WorkerEvent): void;
}
