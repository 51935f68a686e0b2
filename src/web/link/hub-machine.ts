import type { Coordinator } from "../../client/remote/coordinator.ts";
import type { MachineLink } from "../../client/remote/machine-link.ts";
import type { MachineRow } from "../../client/remote/remote-events.ts";
import type { HubState } from "../../contact/standing-contact.ts";
import type { Machine, Way } from "./machine.ts";

/** A machine through hubs, as everything above takes it. Its way is live while a session stands; that comes with the first stream. */
export class HubMachine implements Machine {
  readonly #coordinator: Pick<Coordinator, "hub" | "hubs">;
  readonly #link: MachineLink;
  readonly #watchers = new Set<(way: Way) => void>();
  #way: Way;

  constructor(coordinator: Pick<Coordinator, "hub" | "hubs">, link: MachineLink, row: MachineRow) {
    this.#coordinator = coordinator;
    this.#link = link;
    this.#way = this.#wayOf(row);
  }

  get id(): string {
    return this.#link.machine.id;
  }

  get name(): string {
    return this.#link.machine.name;
  }

  dialLines(target?: string) {
    return this.#link.dialLines(target);
  }

  dialBytes(target: string) {
    return this.#link.dialBytes(target);
  }

  watch(listener: (way: Way) => void): () => void {
    this.#watchers.add(listener);
    listener(this.#way);
    return () => this.#watchers.delete(listener);
  }

  hurry(): void {
    for (const fingerprint of Object.keys(this.#link.machine.spaces)) this.#coordinator.hub(fingerprint)?.retry();
  }

  /** Its link is the coordinator's. */
  close(): void {
    this.#watchers.clear();
  }

  /** Something of it, or of one of its hubs, has changed. */
  told(row: MachineRow): void {
    const way = this.#wayOf(row);
    if (way.kind === this.#way.kind) return;
    this.#way = way;
    for (const watcher of [...this.#watchers]) watcher(way);
  }

  #wayOf({ machine, liveHub, presence, refusal }: MachineRow): Way {
    if (liveHub !== undefined) return { kind: "live" };
    if (refusal) return { kind: "refused" };
    const isComing = this.#coordinator
      .hubs()
      .some(
        ({ entry: { fingerprint }, state }) =>
          machine.spaces[fingerprint] !== undefined && mayStillCome(state, presence[fingerprint]),
      );
    return { kind: isComing ? "connecting" : "away" };
  }
}

/** Of a hub that has not said yet whether the machine is there, nothing is known. */
const mayStillCome = ({ kind }: HubState, isPresent: boolean | undefined): boolean =>
  kind === "connecting" || kind === "checking" || (kind === "ready" && isPresent !== false);
