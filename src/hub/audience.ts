import type { Connection, Identity } from "./connection.ts";
import { keyId } from "./connection.ts";
import type { Membership } from "./roster.ts";

/**
 * Who is connected, by member and by space. A machine that has several connections (its next server takes over) is reached by the newest.
 */
export class Audience {
  readonly #byMember = new Map<string, Set<Connection>>();
  readonly #bySpace = new Map<number, Set<Connection>>();
  /** By the machine's login key; the newest is the last. */
  readonly #machines = new Map<string, Connection[]>();

  join(connection: Connection, identity: Identity): void {
    if (identity.role === "guest") return;
    add(this.#byMember, identity.id, connection);
    for (const { space } of identity.memberships) add(this.#bySpace, space, connection);
    if (identity.role === "machine")
      this.#machines.set(identity.id, [...(this.#machines.get(identity.id) ?? []), connection]);
  }

  leave(connection: Connection, { id, role, memberships }: Identity): void {
    if (role === "guest") return;
    remove(this.#byMember, id, connection);
    for (const { space } of memberships) remove(this.#bySpace, space, connection);
    if (role !== "machine") return;
    const others = (this.#machines.get(id) ?? []).filter((one) => one !== connection);
    if (others.length > 0) this.#machines.set(id, others);
    else this.#machines.delete(id);
  }

  /** Its machine has admitted a device that is connected already, since it belongs to another space too. */
  widen(connection: Connection, membership: Membership): void {
    const { identity } = connection;
    if (!identity || identity.memberships.some(({ space }) => space === membership.space)) return;
    connection.identity = { ...identity, memberships: [...identity.memberships, membership] };
    add(this.#bySpace, membership.space, connection);
  }

  /** Of a login key, in the role that counts. */
  ofMember(id: string, role: "machine" | "device"): Connection[] {
    return [...(this.#byMember.get(id) ?? [])].filter((one) => one.identity?.role === role);
  }

  ofSpace(space: number): Iterable<Connection> {
    return this.#bySpace.get(space) ?? [];
  }

  machine(loginKey: Uint8Array): Connection | undefined {
    return this.#machines.get(keyId(loginKey))?.at(-1);
  }
}

function add<K>(map: Map<K, Set<Connection>>, key: K, connection: Connection): void {
  const found = map.get(key);
  if (found) found.add(connection);
  else map.set(key, new Set([connection]));
}

function remove<K>(map: Map<K, Set<Connection>>, key: K, connection: Connection): void {
  const found = map.get(key);
  found?.delete(connection);
  if (found?.size === 0) map.delete(key);
}
