import type { MailMember, Participant } from "../../protocol/mail-units.ts";
import type { Peer } from "./peer.ts";

/** Who is connected: the members, who speaks for which name, who waits for mail. */
export class Roll {
  readonly #peers = new Set<Peer>();
  /** How many wait for the mail of a name right now. */
  readonly #waiting = new Map<string, number>();

  add(peer: Peer): void {
    this.#peers.add(peer);
  }

  remove(peer: Peer): void {
    this.#peers.delete(peer);
  }

  get peers(): Iterable<Peer> {
    return this.#peers;
  }

  /** Connections besides the standby's. */
  get clientCount(): number {
    let count = 0;
    for (const peer of this.#peers) if (peer.member?.kind !== STANDBY) count += 1;
    return count;
  }

  members(): MailMember[] {
    return [...this.#peers].flatMap(({ member }) => member ?? []);
  }

  has(clientId: string): boolean {
    for (const peer of this.#peers) if (peer.clientId === clientId) return true;
    return false;
  }

  waitsFor(name: string): Disposable {
    this.#waiting.set(name, (this.#waiting.get(name) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const count = (this.#waiting.get(name) ?? 1) - 1;
        if (count > 0) this.#waiting.set(name, count);
        else this.#waiting.delete(name);
      },
    };
  }

  /**
   * The log tells who has a live process. Of an agent its server says whether it works; whoever else waits for mail is idle; and a client whose process cannot be seen (in another container) is there as long as its
   * connection is.
   */
  withPresence(participants: readonly Participant[]): Participant[] {
    const connected = new Set([...this.#peers].flatMap(({ name }) => name ?? []));
    const states = new Map([...this.#peers].flatMap((peer) => Object.entries(peer.states)));
    return participants.map((participant) => {
      const { name, presence, unit } = participant;
      const state = unit === undefined || presence === "gone" ? undefined : states.get(unit);
      if (state) return { ...participant, presence: state };
      if (this.#waiting.has(name)) return { ...participant, presence: "idle" };
      return presence === "gone" && connected.has(name) ? { ...participant, presence: "live" } : participant;
    });
  }
}

/** The kind of member that the standby is. */
export const STANDBY = "standby";
