import { silentLog } from "../../platform/log.ts";
import type { HandClock } from "../../platform/testing/hand-clock.ts";
import { fromWire } from "../../protocol/errors.ts";
import { exportRows } from "../log/export.ts";
import { by, TestWriter } from "../log/log-fixture.ts";
import { type LookType, lookUp } from "../log/looks.ts";
import type { By, Effect, Operation, PayloadFor, Performed, PerformType } from "../log/operations.ts";
import { Presences } from "../log/presences.ts";
import type { Outcome, Step } from "../log/writer.ts";
import { type LogOfLeader, MachineLog } from "./machine-log.ts";
import { Machines } from "./machines.ts";
import type { ModelNetwork, ModelTransport } from "./model-network-fixture.ts";

/** A machine of a model network: a real log, and a leader of which only the exchange is there, that can die and be followed. */
export class ModelMachine implements Disposable {
  readonly name: string;
  readonly #network: ModelNetwork;
  readonly #clock: HandClock;
  readonly #test = new TestWriter();
  readonly #presences = new Presences(() => false);
  #machines: Machines | undefined;
  #epoch = 1;
  transport: ModelTransport | undefined;

  constructor(name: string, network: ModelNetwork, clock: HandClock) {
    this.name = name;
    this.#network = network;
    this.#clock = clock;
  }

  async start(): Promise<void> {
    const transport = this.#network.connect(this.name);
    this.transport = transport;
    const log = new MachineLog(this.#log(), this.#clock);
    const { log_id: logId } = await log.perform("log.joined", { machine: this.name });
    const machines = new Machines({
      machine: this.name,
      logId,
      epoch: this.#epoch++,
      transport,
      log,
      clock: this.#clock,
      ownLog: silentLog,
      participants: async () =>
        this.rows("select name from participants where registered_at_ms is not null").map((row) => [
          String(row.name),
          "gone",
        ]),
    });
    this.#machines = machines;
    await machines.start();
  }

  /** The leader's process dies: what it had in hand, and was not in the log, is gone. */
  die(): void {
    void this.#machines?.close({ leaves: false });
    this.#machines = undefined;
  }

  list = () => this.#machines!.list();

  get problem(): string | undefined {
    return this.#machines?.problem;
  }

  ask<T extends PerformType>(name: string | By, type: T, payload: PayloadFor<T>): Performed<T>["answer"] {
    return this.#perform({ type, payload, by: by(name), nowMs: this.#clock.wallMs() } as Operation<T>).answer;
  }

  sweep(): void {
    const outcome = this.#test.writer.perform([{ type: "log.sweep", nowMs: this.#clock.wallMs() }])[0] as Outcome;
    if (!("error" in outcome)) this.#machines?.take(outcome.effects);
  }

  /** All that `warren mail export` gives. */
  exported = (): Record<string, unknown>[] => exportRows(this.#test.writer.log, {}).rows;

  rows(sql: string): Record<string, unknown>[] {
    return this.#test.writer.log.all(sql).map((row) => ({ ...row }));
  }

  [Symbol.dispose](): void {
    this.die();
    this.#test[Symbol.dispose]();
  }

  #perform<T extends PerformType>(operation: Operation<T>): Performed<T> {
    const outcome = this.#test.writer.perform([operation as unknown as Step])[0] as Outcome;
    if ("error" in outcome) throw fromWire(outcome.error);
    this.#machines?.take(outcome.effects as Effect[]);
    return outcome as unknown as Performed<T>;
  }

  #log(): LogOfLeader {
    return {
      perform: async (operation) => {
        await Promise.resolve(); // as a commit: others come in between
        return this.#perform(operation);
      },
      read: async (operation) => {
        const look = {
          log: this.#test.writer.log,
          by: operation.by,
          nowMs: this.#clock.wallMs(),
          presences: this.#presences,
        };
        return lookUp(look, operation as Operation<LookType>, "") as never;
      },
    };
  }
}
