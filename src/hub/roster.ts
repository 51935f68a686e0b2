import { hash } from "node:crypto";
import { FINGERPRINT_BYTES } from "../sealing/login.ts";
import { expelled, hubFull, invitationsFull, spaceFull } from "./errors.ts";
import type { HubLimits } from "./limits.ts";
import type { Statements } from "./statements.ts";

/**
 * Who is admitted: machines, each with a space; the devices that a machine has admitted to its space; invitations, of which only the hash is kept. Everything
 * that writes here runs inside the store's transaction.
 */
export interface Membership {
  /** The row of the space. */
  space: number;
  /** The space's name: its machine's login key. */
  machine: Uint8Array;
}

export interface MemberRow {
  machine: Uint8Array;
  loginKey: Uint8Array;
  isMachine: boolean;
  label: string | undefined;
  admittedMs: number;
  seenMs: number | undefined;
  recordCount: number;
  bytes: number;
}

const sha256 = (bytes: Uint8Array): Uint8Array => hash("sha256", bytes, "buffer");
const short = (key: Uint8Array): Uint8Array => sha256(key).subarray(0, FINGERPRINT_BYTES);

export class Roster {
  readonly #db: Statements;
  readonly #limits: HubLimits;

  constructor(statements: Statements, limits: HubLimits) {
    this.#db = statements;
    this.#limits = limits;
  }

  /** The login key whose fingerprint that is, when it is a machine's, or a device's. */
  keyOf(role: "machine" | "device", fingerprint: Uint8Array): Uint8Array | undefined {
    return this.#db.get<{ login_key: Uint8Array }>(
      "select login_key from members where fingerprint = ? and is_machine = ? limit 1",
      fingerprint,
      role === "machine" ? 1 : 0,
    )?.login_key;
  }

  /** A machine's is its own space; a device may have several. */
  memberships(role: "machine" | "device", loginKey: Uint8Array): Membership[] {
    return this.#db.all<{ space: number; machine: Uint8Array }>(
      "select m.space, s.machine from members m join spaces s on s.id = m.space where m.login_key = ? and m.is_machine = ?",
      loginKey,
      role === "machine" ? 1 : 0,
    ) as unknown as Membership[];
  }

  /** Twice is once. @throws HUB_FULL */
  addMachine(loginKey: Uint8Array, label: string | undefined, nowMs: number): void {
    if (this.memberships("machine", loginKey).length > 0) return;
    this.checkRoom();
    this.#db.run(
      "insert into spaces (machine, fingerprint, label, admitted_ms) values (?, ?, ?, ?)",
      loginKey,
      short(loginKey),
      label,
      nowMs,
    );
    const { id } = this.#db.get<{ id: number }>("select id from spaces where machine = ?", loginKey)!;
    this.#addMember({ space: id, loginKey, isMachine: true, head: 0, nowMs });
  }

  /** For one machine more. @throws HUB_FULL */
  checkRoom(): void {
    const { count } = this.#db.get<{ count: number }>("select count(*) as count from spaces")!;
    if (count >= this.#limits.spaces) throw hubFull("machines", this.#limits.spaces);
  }

  /** Twice is once. @throws EXPELLED: the space is no more, SPACE_FULL */
  admit(space: number, loginKey: Uint8Array, nowMs: number): void {
    const { count, has } = this.#db.get<{ count: number; has: number }>(
      "select count(*) as count, coalesce(sum(login_key = ?), 0) as has from members where space = ? and is_machine = 0",
      loginKey,
      space,
    )!;
    if (has > 0) return;
    if (count >= this.#limits.spaceMembers) throw spaceFull(`it has ${count} devices`);
    const found = this.#db.get<{ head: number }>("select head from spaces where id = ?", space);
    if (!found) throw expelled();
    this.#addMember({ space, loginKey, isMachine: false, head: found.head, nowMs });
  }

  #addMember({
    space,
    loginKey,
    isMachine,
    head,
    nowMs,
  }: {
    space: number;
    loginKey: Uint8Array;
    isMachine: boolean;
    head: number;
    nowMs: number;
  }): void {
    this.#db.run(
      "insert or ignore into members (space, login_key, fingerprint, is_machine, admitted_ms, head) values (?, ?, ?, ?, ?, ?)",
      space,
      loginKey,
      short(loginKey),
      isMachine ? 1 : 0,
      nowMs,
      head,
    );
  }

  /** False: it was none. */
  expel(space: number, loginKey: Uint8Array): boolean {
    return (
      this.#db.run("delete from members where space = ? and login_key = ? and is_machine = 0", space, loginKey) > 0
    );
  }

  /** With its devices and its records. False: there is none. */
  removeMachine(loginKey: Uint8Array): boolean {
    const found = this.#db.get<{ id: number }>("select id from spaces where machine = ?", loginKey);
    if (!found) return false;
    for (const table of ["records", "members"]) this.#db.run(`delete from ${table} where space = ?`, found.id);
    this.#db.run("delete from spaces where id = ?", found.id);
    return true;
  }

  seen(loginKey: Uint8Array, nowMs: number): void {
    this.#db.run("update members set seen_ms = ? where login_key = ?", nowMs, loginKey);
  }

  /** @throws INVITATIONS_FULL */
  addInvitation(secret: Uint8Array, label: string | undefined, { nowMs }: { nowMs: number }): void {
    this.#db.run("delete from invitations where expires_ms <= ?", nowMs);
    const { count } = this.#db.get<{ count: number }>("select count(*) as count from invitations")!;
    if (count >= this.#limits.invitations) throw invitationsFull(count);
    this.#db.run(
      "insert into invitations (hash, label, expires_ms) values (?, ?, ?)",
      sha256(secret),
      label,
      nowMs + this.#limits.invitationMs,
    );
  }

  /** Hashes of those that may be used now. */
  openInvitations(nowMs: number): Uint8Array[] {
    return this.#db
      .all<{ hash: Uint8Array }>("select hash from invitations where expires_ms > ?", nowMs)
      .map(({ hash }) => hash);
  }

  /** Takes it, for good: false when somebody else was first. The label is what it was made for. */
  takeInvitation(hash: Uint8Array, nowMs: number): { label: string | undefined } | undefined {
    const found = this.#db.get<{ label: string | null }>(
      "delete from invitations where hash = ? and expires_ms > ? returning label",
      hash,
      nowMs,
    );
    return found && { label: found.label ?? undefined };
  }

  members(): MemberRow[] {
    return this.#db
      .all(
        `select s.machine, m.login_key, m.is_machine, s.label, m.admitted_ms, m.seen_ms, s.records, s.bytes
           from members m join spaces s on s.id = m.space order by s.id, m.is_machine desc, m.admitted_ms, m.login_key`,
      )
      .map((row) => ({
        machine: row.machine as Uint8Array,
        loginKey: row.login_key as Uint8Array,
        isMachine: row.is_machine === 1,
        label: row.is_machine === 1 ? ((row.label as string | null) ?? undefined) : undefined,
        admittedMs: row.admitted_ms as number,
        seenMs: (row.seen_ms as number | null) ?? undefined,
        recordCount: row.is_machine === 1 ? (row.records as number) : 0,
        bytes: row.is_machine === 1 ? (row.bytes as number) : 0,
      }));
  }
}
