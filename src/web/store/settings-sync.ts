import { mergeSettings, type Settings } from "../../protocol/settings.ts";
import { type Fleet, type FleetMachine, isLive } from "../model/fleet.ts";
import { LOCAL } from "../model/rows.ts";
import { newerThan, withAnswer, withShared } from "../model/shared-settings.ts";
import type { SettingsStore } from "./settings-store.ts";

/**
 * Keeps what is the person's the same on all their devices. Where they meet is each machine: it says what it has by a sealed record, also while it is away, and is brought what it lacks while it
 * is there.
 *
 * 1. Of a machine at which this browser may not type nothing is taken, and nothing is brought to it: it may be somebody else's.
 * 2. What was brought is brought again with the next contact alone, whatever the machine makes of it.
 * 3. Nothing goes to and fro while the person has it switched off; what machines say meanwhile counts when it is on again.
 */
export interface SettingsSyncOptions {
  settings: Pick<SettingsStore, "get" | "fields" | "change" | "subscribe">;
  fleet: { get(): Pick<Fleet, "machines">; subscribe(listener: () => void): () => void };
  /** Brings these to a machine; its answer is all that it has. */
  ask(machine: string, settings: Settings, signal: AbortSignal): Promise<Settings>;
  timer?: (delayMs: number, task: () => void) => () => void;
}

interface Peer {
  isThere: boolean;
  isAsking: boolean;
  /** What it has said last that it has; undefined: nothing yet. */
  heard: Settings | undefined;
  /** What was brought to it last in this contact, as a text. */
  brought: string | undefined;
}

/** What a person sets one after the other, or types, goes together. */
const GATHER_MS = 300;

export class SettingsSync {
  readonly #options: SettingsSyncOptions;
  readonly #peers = new Map<string, Peer>();
  readonly #closing = new AbortController();
  readonly #ends: (() => void)[];
  #cancelLook: (() => void) | undefined;

  constructor(options: SettingsSyncOptions) {
    this.#options = options;
    const { settings, fleet } = options;
    this.#ends = [fleet.subscribe(() => this.#onFleet()), settings.subscribe(() => this.#lookLater())];
    this.#onFleet();
  }

  close(): void {
    this.#closing.abort();
    this.#cancelLook?.();
    for (const end of this.#ends) end();
  }

  /** A machine has said what it has. */
  hear(machine: string, settings: Settings): void {
    this.#peer(machine).heard = settings;
    this.#look();
  }

  /** Somebody is here, and looks: the machine of this page sends no records, and is asked. */
  hurry(): void {
    const local = this.#peers.get(LOCAL);
    if (local) Object.assign(local, { heard: undefined, brought: undefined });
    this.#look();
  }

  #onFleet(): void {
    const { machines } = this.#options.fleet.get();
    for (const id of this.#peers.keys()) if (!machines.has(id)) this.#peers.delete(id);
    let isNew = false;
    for (const [id, machine] of machines) {
      const peer = this.#peer(id);
      const isThere = isLive(machine);
      if (isThere === peer.isThere) continue;
      peer.isThere = isThere;
      peer.brought = undefined;
      isNew ||= isThere;
    }
    if (isNew) this.#look();
  }

  #lookLater(): void {
    const { timer = pageTimer } = this.#options;
    this.#cancelLook ??= timer(GATHER_MS, () => {
      this.#cancelLook = undefined;
      this.#look();
    });
  }

  /** Takes what is newer there, and brings what is newer here. */
  #look(): void {
    const { settings, fleet } = this.#options;
    if (this.#closing.signal.aborted || !settings.get().everywhere) return;
    const { machines } = fleet.get();
    const shared = [...this.#peers].filter(([id]) => isShared(machines.get(id)));
    for (const [, { heard }] of shared) if (heard) settings.change((now) => withShared(now, heard));
    for (const [id, peer] of shared) if (peer.isThere && !peer.isAsking) void this.#bring(id, peer);
  }

  async #bring(id: string, peer: Peer): Promise<void> {
    const { settings, ask } = this.#options;
    const { signal } = this.#closing;
    const newer = newerThan(settings.fields(), peer.heard ?? {});
    const text = JSON.stringify(newer);
    const isBlind = id === LOCAL && peer.heard === undefined;
    if (text === peer.brought || (Object.keys(newer).length === 0 && !isBlind)) return;
    peer.isAsking = true;
    peer.brought = text;
    const before = peer.heard;
    try {
      const answered = await ask(id, newer, signal);
      // A record that came meanwhile may be the newer word.
      peer.heard = peer.heard === before ? answered : mergeSettings(peer.heard ?? {}, answered);
      if (settings.get().everywhere && !signal.aborted) settings.change((now) => withAnswer(now, newer, answered));
    } catch {
      // It went away, does not know of settings yet, or lets this browser change nothing: the next contact.
    }
    peer.isAsking = false;
    this.#lookLater();
  }

  #peer(id: string): Peer {
    const known = this.#peers.get(id);
    if (known) return known;
    const peer: Peer = { isThere: false, isAsking: false, heard: undefined, brought: undefined };
    this.#peers.set(id, peer);
    return peer;
  }
}

const isShared = (machine: FleetMachine | undefined): boolean =>
  machine !== undefined && (machine.scopes === undefined || machine.scopes.includes("type"));

function pageTimer(delayMs: number, task: () => void): () => void {
  const handle = setTimeout(task, delayMs);
  return () => clearTimeout(handle);
}
