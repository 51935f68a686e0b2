import type { Dial } from "../../client/client.ts";
import type { MachineLink } from "../../client/remote/machine-link.ts";
import type { DialBytes } from "../../client/terminal-world.ts";
import type { Places } from "../../platform/paths.ts";

export interface OpenedMachine {
  link: Pick<MachineLink, "dialLines" | "dialBytes">;
  close(): void;
}

/** The way to another machine, with `--on`: nothing of it is loaded, and nobody is connected to, before it is used. */
export class MachineDoor {
  /** As it was typed. */
  readonly name: string;
  /** Of what keeps it from being reached: with what to type for this very command. */
  explain: (error: unknown) => Promise<unknown> = async (error) => error;
  readonly #openMachine: () => Promise<OpenedMachine>;
  #opening: Promise<OpenedMachine> | undefined;
  #opened: OpenedMachine | undefined;
  #isClosed = false;

  constructor(name: string, places: Places, openMachine = () => openHere(places, name)) {
    this.name = name;
    this.#openMachine = openMachine;
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

  /** What is still being opened is not waited for: what waits for the machine is on disk, and the next command brings it on its way. */
  close(): void {
    this.#isClosed = true;
    this.#opened?.close();
  }

  #open(): Promise<OpenedMachine> {
    this.#opening ??= this.#openMachine().then((opened) => {
      this.#opened = opened;
      if (this.#isClosed) opened.close();
      return opened;
    });
    return this.#opening;
  }
}

async function openHere(places: Places, name: string): Promise<OpenedMachine> {
  const { machineOn } = await import("../../local/remote/device.ts");
  return machineOn(places, name);
}
