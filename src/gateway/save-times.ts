import { timestamp } from "../platform/clock.ts";
import type { SaveTimes } from "../protocol/gateway-units.ts";
import type { WorkerEvent } from "./lifecycle/events.ts";

type Marks = Partial<Record<"detected_ms" | "built_ms" | "ready_ms", number>>;

/** Takes the times of a save, from the first sign of it to the switch: one worker's, the last that came to its end. */
export class SaveWatch {
  readonly #worker: string;
  #beganMs: number | undefined;
  #version = "";
  #marks: Marks = {};
  last: SaveTimes | undefined;

  constructor(worker: string) {
    this.#worker = worker;
  }

  /** `servingVersion`: what is in force, as far as the front has said. */
  note(event: WorkerEvent, nowMs: number, servingVersion: string | undefined): void {
    switch (event.kind) {
      case "touched":
        if (this.#beganMs === undefined) this.#begin(nowMs);
        return;
      case "sources":
        if (event.version === servingVersion) return this.#forget(); // nothing was different after all
        if (event.version !== this.#version) this.#marks = {};
        this.#version = event.version;
        return this.#mark("detected_ms", nowMs);
      case "built":
        return this.#mark("built_ms", nowMs);
      case "build_failed":
        return this.#forget();
      case "probed":
        if (event.isOk) this.#mark("ready_ms", nowMs);
        return;
      case "applied":
        if (servingVersion === this.#version) this.#finish(nowMs);
        return;
      default:
        return;
    }
  }

  /** What the save before was is no part of this one. */
  #begin(nowMs: number): void {
    this.#forget();
    this.#version = "";
    this.#beganMs = nowMs;
  }

  #mark(name: keyof Marks, nowMs: number): void {
    if (this.#beganMs !== undefined && this.#version !== "") this.#marks[name] ??= nowMs - this.#beganMs;
  }

  #finish(nowMs: number): void {
    if (this.#beganMs === undefined) return;
    const switched = nowMs - this.#beganMs;
    const { detected_ms = switched, built_ms = detected_ms, ready_ms = switched } = this.#marks;
    const at = timestamp(Date.now() - switched);
    this.last = {
      worker: this.#worker,
      version: this.#version,
      at,
      detected_ms,
      built_ms,
      ready_ms,
      switched_ms: switched,
    };
    this.#forget();
  }

  #forget(): void {
    this.#beganMs = undefined;
    this.#marks = {};
  }
}
