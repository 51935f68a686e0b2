import type { Dial } from "../../client/client.ts";
import type { MachineLink } from "../../client/remote/machine-link.ts";
import type { DialBytes } from "../../client/terminal-world.ts";
import type { Places } from "../../platform/paths.ts";

/** The way to another machine, with `--on`: nothing of it is loaded, and nobody is connected to, before it is used. */
export class MachineDoor {
  /** As it was typed. */
  readonly name: string;
  /** Of what keeps it from being reached: with what to type for this very command. */
  explain: (error: unknown) => Promise<unknown> = async (error) => error;
  readonly #places: Places;
  #opening: Promise<{ link: MachineLink; close(): void }> | undefined;

  constructor(name: string, places: Places) {
    this.name = name;
    this.#places = places;
  }

  /** For a client. @param target `primary`, or a session's name or id: then to the server that has it */
  dialLines(target = "primary"): Dial {
    let dial: Dial | undefined;
    return async (events) => {
      try {
        dial ??= (await this.#open()).link.dialLines(target);
        return await dial(events);
      } catch (error) {
        throw await this.explain(error);
      }
    };
  }

  /** For an attached terminal. */
  dialBytes(target: string): DialBytes {
    let dial: DialBytes | undefined;
    return async (events) => {
      try {
        dial ??= (await this.#open()).link.dialBytes(target);
        return await dial(events);
      } catch (error) {
        throw await this.explain(error);
      }
    };
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    if (opening) (await opening.catch(() => undefined))?.close();
  }

  #open(): Promise<{ link: MachineLink; close(): void }> {
    this.#opening ??= import("../../local/remote/device.ts").then(({ machineOn }) =>
      machineOn(this.#places, this.name),
    );
    return this.#opening;
  }
}
