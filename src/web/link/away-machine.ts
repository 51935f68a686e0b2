import { WarrenError } from "../../protocol/errors.ts";
import type { Machine, Way } from "./machine.ts";

/** A machine that this tab does not speak with: what is remembered of it is shown. */
export class AwayMachine implements Machine {
  readonly id: string;
  readonly name: string;
  readonly #why: string;

  /** @param why as a sentence */
  constructor({ id, name, why }: { id: string; name: string; why: string }) {
    this.id = id;
    this.name = name;
    this.#why = why;
  }

  dialLines() {
    return () => Promise.reject(this.#away());
  }

  dialBytes() {
    return () => Promise.reject(this.#away());
  }

  watch(listener: (way: Way) => void): () => void {
    listener({ kind: "away" });
    return () => {};
  }

  hurry(): void {}
  close(): void {}

  #away(): WarrenError {
    return new WarrenError("MACHINE_AWAY", this.#why);
  }
}
