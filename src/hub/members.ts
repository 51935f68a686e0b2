import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { messageOf, type WarrenError } from "../protocol/errors.ts";
import type { Audience } from "./audience.ts";
import { type Connection, type Identity, keyId } from "./connection.ts";
import { expelled } from "./errors.ts";
import type { Membership } from "./roster.ts";
import type { HubStore } from "./store.ts";

/** Spaces and their members while they are connected: who comes in, who is thrown out, and who is told that a machine is there. */
export interface MembersOptions {
  store: HubStore;
  clock: Clock;
  log: Log;
  audience: Audience;
  /** Tells a connection why, and closes it. */
  end: (connection: Connection, error: WarrenError) => void;
}

export class Members {
  readonly #options: MembersOptions;

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  /** A machine lets a device into its space. @throws SPACE_FULL, HUB_NOT_STORED */
  async admit(machine: Connection, loginKey: Uint8Array): Promise<void> {
    const { store, clock, audience } = this.#options;
    const membership = machine.identity!.memberships[0]!;
    await store.write(() => store.roster.admit(membership.space, loginKey, clock.wallMs()));
    for (const connection of audience.ofMember(keyId(loginKey), "device")) {
      audience.widen(connection, membership);
      this.#tell(connection, membership);
    }
  }

  /**
   * A machine throws a device out of its space: it is cut off at once, and again when it is written down, so that nobody slips in meanwhile. Its other spaces let it in
   * again. Who was no member is no error.
   * @throws HUB_NOT_STORED
   */
  async expel(machine: Connection, loginKey: Uint8Array): Promise<void> {
    const { store } = this.#options;
    const { space } = machine.identity!.memberships[0]!;
    this.#cutOff(loginKey, space);
    await store.write(() => this.#expel(space, loginKey));
    this.#cutOff(loginKey, space);
  }

  /** The hub's owner throws somebody out: a machine with its space, or a device from all spaces. They are cut off as by `expel`. @throws HUB_NOT_STORED */
  async remove(loginKey: Uint8Array): Promise<boolean> {
    const { store, audience, end } = this.#options;
    const { roster } = store;
    const spaces = roster.memberships("machine", loginKey).map(({ space }) => space);
    const cutOff = (): void => {
      for (const role of ["machine", "device"] as const)
        for (const connection of audience.ofMember(keyId(loginKey), role)) end(connection, expelled());
      for (const space of spaces) for (const connection of [...audience.ofSpace(space)]) end(connection, expelled());
    };
    const memberships = roster.memberships("device", loginKey);
    cutOff();
    await store.write(() => {
      roster.removeMachine(loginKey);
      for (const { space } of memberships) this.#expel(space, loginKey);
    });
    cutOff();
    return spaces.length + memberships.length > 0;
  }

  seen({ role, loginKey }: Identity): void {
    if (role === "guest") return;
    const { store, clock, log } = this.#options;
    store
      .write(() => store.roster.seen(loginKey, clock.wallMs()))
      .catch((error) => log.warn("seen_not_stored", { error: messageOf(error) }));
  }

  /** Tells a device about the machines of its spaces. */
  tellPresence(device: Connection): void {
    for (const membership of device.identity?.memberships ?? []) this.#tell(device, membership);
  }

  /** The machine of these spaces has come or gone. */
  tellSpace(memberships: readonly Membership[], isPresent: boolean): void {
    for (const { space, machine } of memberships)
      for (const connection of this.#options.audience.ofSpace(space))
        if (connection.role === "device") connection.outbox.send({ kind: "presence", space: machine, isPresent });
  }

  /** With what it has left there. Inside the store's transaction. */
  #expel(space: number, loginKey: Uint8Array): void {
    const { roster, archive } = this.#options.store;
    if (roster.expel(space, loginKey)) archive.forgetSender(space, loginKey);
  }

  #tell(device: Connection, { machine }: Membership): void {
    const isPresent = this.#options.audience.machine(machine) !== undefined;
    device.outbox.send({ kind: "presence", space: machine, isPresent });
  }

  #cutOff(loginKey: Uint8Array, space: number): void {
    const { audience, end } = this.#options;
    for (const connection of audience.ofMember(keyId(loginKey), "device"))
      if (connection.identity!.memberships.some((one) => one.space === space)) end(connection, expelled());
  }
}
