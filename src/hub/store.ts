import { messageOf, systemCode, WarrenError } from "../protocol/errors.ts";
import { quoteWord } from "../protocol/quote-word.ts";
import { Archive } from "./archive.ts";
import { GroupCommit } from "./group-commit.ts";
import type { HubLimits } from "./limits.ts";
import { Places } from "./places.ts";
import { Roster } from "./roster.ts";
import { openHubDatabase } from "./schema.ts";
import { Statements } from "./statements.ts";
import { WalSync } from "./wal-sync.ts";

/**
 * What a hub remembers. Reading is at once; writing goes through `write`, which resolves when it is on the disk:
 *
 *     await store.write(() => store.roster.admit(space, loginKey, nowMs));
 */
export interface HubStoreOptions {
  /** Of hub.db, or `:memory:`, for a simulation: nothing is synced then. */
  path: string;
  /** Of a database that is open: a simulation uses one again. */
  statements?: Statements | undefined;
  limits: HubLimits;
  nowMs: number;
  /** The disk has failed, and what is in the file is unknown: the hub has to end. */
  onBroken: (error: unknown) => void;
  /** Default: the write-ahead log's, in another thread. */
  sync?: () => Promise<void>;
}

export class HubStore {
  readonly roster: Roster;
  readonly archive: Archive;
  readonly places: Places;
  readonly #statements: Statements;
  readonly #commits: GroupCommit;
  readonly #wal: WalSync | undefined;

  /** @throws HUB_STORE_UNUSABLE, HUB_STATE_TOO_NEW */
  constructor({ path, statements, limits, nowMs, onBroken, sync }: HubStoreOptions) {
    try {
      this.#statements = statements ?? new Statements(openHubDatabase(path));
      const places = this.#transaction(() => new Places(this.#statements, nowMs));
      this.places = places;
      this.roster = new Roster(this.#statements, limits);
      this.archive = new Archive(this.#statements, limits, places);
      this.#wal = path === ":memory:" || sync !== undefined ? undefined : new WalSync(path);
    } catch (error) {
      throw error instanceof WarrenError ? error : unusable(path, error);
    }
    const wal = this.#wal;
    this.#commits = new GroupCommit({
      statements: this.#statements,
      sync: sync ?? (async () => wal?.sync()),
      onBroken,
    });
  }

  /** @throws HUB_NOT_STORED, and what `work` refuses */
  write<T>(work: () => T): Promise<T> {
    return this.#commits.write(work);
  }

  /** @param nowMs invitations that are over by then do not count */
  totals(nowMs = 0): { spaces: number; devices: number; records: number; bytes: number; invitations: number } {
    return this.#statements.get(
      `select (select count(*) from spaces) as spaces, (select count(*) from members where is_machine = 0) as devices,
         (select coalesce(sum(records), 0) from spaces) as records, (select coalesce(sum(bytes), 0) from spaces) as bytes,
         (select count(*) from invitations where expires_ms > ?) as invitations`,
      nowMs,
    )!;
  }

  /** What was being written is over. */
  async written(): Promise<void> {
    await this.#commits.write(() => {}).catch(() => {});
  }

  /** What is being written is waited for. */
  async close(): Promise<void> {
    await this.written();
    this.#statements.database.close();
    this.#wal?.close();
  }

  #transaction<T>(work: () => T): T {
    this.#statements.run("begin immediate");
    const result = work();
    this.#statements.run("commit");
    return result;
  }
}

const unusable = (path: string, error: unknown): WarrenError =>
  new WarrenError("HUB_STORE_UNUSABLE", `The hub's store ${path} cannot be used: ${messageOf(error)}.`, {
    fix:
      systemCode(error) === "EACCES"
        ? `ls -l ${quoteWord(path)}`
        : `mv ${quoteWord(path)} ${quoteWord(`${path}.broken`)}      # members then join anew`,
    cause: error,
  });
