import { existsSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { connectUnit } from "../local/connect-unit.ts";
import { askHub } from "../local/hub-link.ts";
import { systemClock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Places } from "../platform/paths.ts";
import { messageOf } from "../protocol/errors.ts";
import type { Settings } from "../protocol/settings.ts";
import type { KeptSettings } from "../remote/kept-settings.ts";
import type { Remote } from "../remote/remote.ts";
import type { EventSource, RoutedEvent } from "../serving/subscriptions.ts";
import { mailIsUsed } from "./mail-use.ts";

/**
 * The machine's side of remote in the primary server. A home that was never paired loads nothing of it: it is opened when the server becomes the primary
 * and there is a list of devices, or when somebody asks for it first.
 */
export interface OpenRemoteOptions {
  places: Places;
  log: Log;
  publish(event: RoutedEvent): void;
}

export class OpenRemote {
  readonly #options: OpenRemoteOptions;
  #opening: Promise<Remote> | undefined;
  #remote: Remote | undefined;
  #keeping: Promise<KeptSettings> | undefined;
  #isClosed = false;

  constructor(options: OpenRemoteOptions) {
    this.#options = options;
  }

  /** In its own time: nobody waits for a server because of its devices. */
  start(): void {
    const { places, log } = this.#options;
    if (!existsSync(join(places.remoteDir, "roster.json"))) return;
    this.get().catch((error) => log.error("remote_failed", { error: messageOf(error) }));
  }

  /** Opens it where it is not. @throws MACHINE_KEY_BAD, MACHINE_KEY_OPEN, ROSTER_BAD; the next call tries again */
  get(): Promise<Remote> {
    this.#opening ??= this.#open().catch((error) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** Brings these to the app's settings of this home, paired or not; answers with all of them. @throws MACHINE_KEY_OPEN: others may read them */
  async settings(said: Settings): Promise<{ settings: Settings }> {
    return { settings: await (await this.#settings()).merge(said) };
  }

  get isIdle(): boolean {
    return this.#remote?.isIdle ?? true;
  }

  /** The stream `remote`; undefined until it is open (`get`). */
  get source(): EventSource | undefined {
    const remote = this.#remote;
    if (!remote) return undefined;
    return {
      snapshot: () => remote.snapshot(),
      after: (seq, limit) => remote.events.after(seq, limit)?.map((event) => ({ event, workdir: "" })),
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#remote?.close();
  }

  async #open(): Promise<Remote> {
    const { places, log, publish } = this.#options;
    const [{ Remote }, { homeStore }, { trustingNetwork }, { nodeCrypto }, { UnitWatch }, { MailWatch }] =
      await Promise.all([
        import("../remote/remote.ts"),
        import("../remote/home-store.ts"),
        import("../local/remote/trusting-network.ts"),
        import("../platform/node-crypto.ts"),
        import("../remote/records/unit-watch.ts"),
        import("../remote/records/mail-watch.ts"),
      ]);
    const remote = await Remote.open({
      store: homeStore(places.remoteDir),
      settings: await this.#settings(),
      network: trustingNetwork(places),
      connect: (target, events) => connectUnit(places, target, events),
      crypto: nodeCrypto(),
      clock: systemClock,
      log,
      name: hostname(),
      words: `${userName()}@${hostname()}`,
      watchUnits: (watching) => new UnitWatch(watching),
      watchMail: (watching) => new MailWatch({ ...watching, isUsed: (signal) => mailIsUsed(places.mailDir, signal) }),
      ownInvitation: (key) => ownInvitation(places, key),
      onEvent: (event) => publish({ event, workdir: "" }),
    });
    if (this.#isClosed) remote.close();
    else this.#remote = remote;
    return remote;
  }

  #settings(): Promise<KeptSettings> {
    this.#keeping ??= this.#openSettings().catch((error) => {
      this.#keeping = undefined;
      throw error;
    });
    return this.#keeping;
  }

  async #openSettings(): Promise<KeptSettings> {
    const { places, log } = this.#options;
    const [{ KeptSettings }, { homeStore }] = await Promise.all([
      import("../remote/kept-settings.ts"),
      import("../remote/home-store.ts"),
    ]);
    return KeptSettings.open({ store: homeStore(places.remoteDir), clock: systemClock, log });
  }
}

/** Where no name is given to the user's number, there is none. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "somebody";
  }
}

/** Whoever runs the hub of this home has invited its machine. */
async function ownInvitation(places: Places, hubKey: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    const { key } = await askHub(places, "status", {});
    if (key !== Buffer.from(hubKey).toString("hex")) return undefined;
    const { invitation } = await askHub(places, "invite", { for: hostname() });
    return Buffer.from(invitation.replaceAll("-", ""), "hex");
  } catch {
    return undefined; // none runs here
  }
}
