import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hub } from "../../../src/hub/hub.ts";
import { HUB_LIMITS } from "../../../src/hub/limits.ts";
import type { Statements } from "../../../src/hub/statements.ts";
import { HubStore } from "../../../src/hub/store.ts";
import { silentLog } from "../../../src/platform/log.ts";
import type { SealingCrypto, SigningKey } from "../../../src/sealing/crypto.ts";
import { HubDatabases } from "./hub-databases.ts";
import { Life, type VirtualTime } from "./virtual-time.ts";

/** A hub that can be killed, and whose store can be put back to an old state. */
export class HubActor {
  readonly name: string;
  readonly address: string;
  readonly key: SigningKey;
  readonly wall = { offsetMs: 0 };
  readonly #time: VirtualTime;
  readonly #crypto: SealingCrypto;
  readonly #directory: string | undefined;
  readonly #databases: HubDatabases;
  #statements: Statements | undefined;
  #store: HubStore | undefined;
  #hasBackup = false;
  life: Life;
  hub: Hub | undefined;

  constructor(options: HubOptions) {
    this.name = options.name;
    this.address = `https://${options.name}.example`;
    this.key = options.key;
    this.#time = options.time;
    this.#crypto = options.crypto;
    this.#databases = options.databases ?? new HubDatabases();
    this.#directory = options.hasFiles ? mkdtempSync(join(tmpdir(), "warren-hub-sim-")) : undefined;
    this.life = new Life(this.#time, this.wall);
    this.start();
  }

  start(): void {
    if (this.hub) return;
    this.life = new Life(this.#time, this.wall);
    const { clock } = this.life;
    const path = this.#directory === undefined ? ":memory:" : join(this.#directory, "hub.db");
    if (this.#directory === undefined) this.#statements ??= this.#databases.take();
    this.#store ??= new HubStore({
      path,
      statements: this.#statements,
      limits: HUB_LIMITS,
      nowMs: clock.wallMs(),
      onBroken(error) {
        throw error;
      },
      sync: async () => {},
    });
    this.hub = new Hub({
      key: this.key,
      crypto: this.#crypto,
      store: this.#store,
      clock,
      log: silentLog,
      isOpen: true,
    });
  }

  /** Memberships of devices, over all spaces. */
  get deviceCount(): number {
    return this.#store?.totals().devices ?? 0;
  }

  /** What it had answered is in its store, and nothing else of it is left. */
  async crash(): Promise<void> {
    this.hub = undefined;
    this.life.end();
    if (this.#directory === undefined) return;
    await this.#store?.close();
    this.#store = undefined;
  }

  /** Of its store, while it stands still. */
  async backUp(): Promise<void> {
    if (this.#directory === undefined) return;
    await this.crash();
    copyFileSync(join(this.#directory, "hub.db"), join(this.#directory, "backup.db"));
    this.#hasBackup = true;
    this.start();
  }

  async restore(): Promise<void> {
    if (this.#directory === undefined || !this.#hasBackup) return;
    await this.crash();
    copyFileSync(join(this.#directory, "backup.db"), join(this.#directory, "hub.db"));
    for (const end of ["-wal", "-shm"]) rmSync(join(this.#directory, `hub.db${end}`), { force: true });
    this.start();
  }

  async close(): Promise<void> {
    this.hub = undefined;
    this.life.end();
    if (this.#statements) {
      await this.#store?.written();
      this.#databases.giveBack(this.#statements);
    } else await this.#store?.close();
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true });
  }
}

export interface HubOptions {
  name: string;
  time: VirtualTime;
  crypto: SealingCrypto;
  key: SigningKey;
  /** So that its store can be put back; else it is in memory, and quicker. */
  hasFiles: boolean;
  /** Those in memory; default: its own. */
  databases?: HubDatabases;
}
