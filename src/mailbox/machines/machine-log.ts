import type { Clock } from "../../platform/clock.ts";
import type { MachineCalls, MachineReads } from "../log/machine-calls.ts";
import type { AnswerTo, Operation, Performed, PerformType, ReadType } from "../log/operations.ts";

/** The log as the exchange with other machines has it. */
export interface LogOfLeader {
  perform<T extends PerformType>(operation: Operation<T>): Promise<Performed<T>>;
  read<T extends ReadType>(operation: Operation<T>): Promise<AnswerTo<T>>;
}

const OURSELVES = { client: "machines", isMailbox: true };

export class MachineLog {
  readonly #log: LogOfLeader;
  readonly #clock: Clock;

  constructor(log: LogOfLeader, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Resolves after the commit. */
  async perform<T extends keyof MachineCalls>(
    type: T,
    payload: MachineCalls[T]["payload"],
  ): Promise<MachineCalls[T]["data"]> {
    const operation = { type, payload, by: OURSELVES, nowMs: this.#clock.wallMs() };
    return (await this.#log.perform(operation as unknown as Operation<PerformType>)).answer as MachineCalls[T]["data"];
  }

  async read<T extends keyof MachineReads>(
    type: T,
    payload: MachineReads[T]["payload"],
  ): Promise<MachineReads[T]["data"]> {
    const operation = { type, payload, by: OURSELVES, nowMs: this.#clock.wallMs() };
    return (await this.#log.read(operation as unknown as Operation<ReadType>)) as MachineReads[T]["data"];
  }
}
