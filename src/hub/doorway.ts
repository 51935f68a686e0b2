import type { Connection, Identity } from "./connection.ts";
import { addressFull, hubFull, memberFull } from "./errors.ts";
import type { HubLimits } from "./limits.ts";

/** How many may be connected: altogether, as guests, as strangers who have not logged in yet, from one address, by one key. */
export class Doorway {
  readonly #limits: HubLimits;
  readonly #connections: ReadonlySet<Connection>;

  constructor(limits: HubLimits, connections: ReadonlySet<Connection>) {
    this.#limits = limits;
    this.#connections = connections;
  }

  /** Somebody connects. @throws HUB_FULL, ADDRESS_FULL */
  checkStranger(address: string): void {
    const { connections, strangers, strangersOfAddress } = this.#limits;
    if (this.#connections.size >= connections) throw hubFull("connections", connections);
    const { all, ofAddress } = this.#count("stranger", address);
    if (all >= strangers) throw hubFull("connections that have not logged in", strangers);
    if (ofAddress >= strangersOfAddress) throw addressFull("connections that have not logged in", strangersOfAddress);
  }

  /** Somebody has logged in; `memberConnections` of the same key are there already. @throws HUB_FULL, ADDRESS_FULL, MEMBER_FULL */
  checkAdmitted({ role }: Identity, address: string, memberConnections: number): void {
    const { guests, guestsOfAddress, connectionsOfMember } = this.#limits;
    if (role !== "guest") {
      if (memberConnections >= connectionsOfMember) throw memberFull(connectionsOfMember);
      return;
    }
    const { all, ofAddress } = this.#count("guest", address);
    if (all >= guests) throw hubFull("guests", guests);
    if (ofAddress >= guestsOfAddress) throw addressFull("guests", guestsOfAddress);
  }

  #count(role: Connection["role"], address: string): { all: number; ofAddress: number } {
    let [all, ofAddress] = [0, 0];
    for (const one of this.#connections) {
      if (one.role !== role) continue;
      all += 1;
      if (one.peer.address === address) ofAddress += 1;
    }
    return { all, ofAddress };
  }
}
