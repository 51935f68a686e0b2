import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { messageOf } from "../protocol/errors.ts";
import { encodeFrame } from "../sealing/frames.ts";
import { decodeRecord, RECORD_KINDS, type RecordHead } from "../sealing/record.ts";
import type { StoredRecord } from "./archive.ts";
import type { Audience } from "./audience.ts";
import { type Connection, type Identity, keyId } from "./connection.ts";
import { recordRefused, recordTooLarge } from "./errors.ts";
import type { HubLimits } from "./limits.ts";
import type { HubStore } from "./store.ts";

/** Sealed records: taken in, written down, and then passed on to whoever of the space is connected; the others fetch them by their cursor. */
export interface RecordsOptions {
  store: HubStore;
  clock: Clock;
  log: Log;
  limits: HubLimits;
  audience: Audience;
}

/** How long what readers have taken may wait to be written down: it is many small facts, of which the last counts. */
const TOOK_MS = 1_000;

export class Records {
  readonly #options: RecordsOptions;
  /** By login key: up to where it has taken; not written down yet. */
  #taken = new Map<string, { loginKey: Uint8Array; spaces: number[]; place: number }>();
  #cancelTaken: (() => void) | undefined;
  #cancelSweep: () => void;

  constructor(options: RecordsOptions) {
    this.#options = options;
    this.#cancelSweep = () => {};
    this.#scheduleSweep();
  }

  /** @throws RECORD_TOO_LARGE, FORM_INVALID, VERSION_UNKNOWN, RECORD_REFUSED, RECORD_OLD, SPACE_FULL, HUB_NOT_STORED */
  async put(connection: Connection, bytes: Uint8Array): Promise<void> {
    const { store, clock, limits, audience } = this.#options;
    if (bytes.length > limits.recordBytes) throw recordTooLarge(bytes.length, limits.recordBytes);
    const head = decodeRecord(bytes);
    const { space, isMachine } = placeOf(connection, head);
    const place = await store.write(() => store.archive.put({ space, head, bytes, isMachine, nowMs: clock.wallMs() }));
    if (place === undefined) return;
    let frame: Uint8Array | undefined;
    const encoded = (): Uint8Array => {
      frame ??= encodeFrame({ kind: "record", place, record: bytes });
      return frame;
    };
    const sender = connection.identity!.id;
    for (const reader of audience.ofSpace(space))
      if (reader.identity!.id !== sender) reader.outbox.offer(place, encoded);
  }

  /** What a reader has not been sent. */
  after({ identity }: Connection, range: { cursor: number; limit: number }): StoredRecord[] {
    if (!identity) return [];
    return this.#options.store.archive.after(identity.loginKey, spacesOf(identity), range);
  }

  /**
   * What a login with this cursor is told, and where its records start. What the cursor says was taken is: a client writes it down before it says so.
   * A cursor that this store never gave is a gap: it was put back to an older state, and has forgotten what came then.
   */
  async startFor(
    identity: Identity,
    cursor: number,
  ): Promise<{ bounds: { head: number; floor: number }; cursor: number }> {
    const { archive, places, write } = this.#store();
    if (identity.role === "guest") return { bounds: { head: cursor, floor: 0 }, cursor };
    const { loginKey } = identity;
    const { head, floor } = archive.bounds(loginKey, spacesOf(identity));
    const judged = places.judge(cursor);
    if (judged.kind === "known") {
      if (cursor > 0) this.#took(identity, cursor);
      return { bounds: { head: Math.max(head, cursor), floor }, cursor };
    }
    const isLost = judged.kind === "lost";
    await write(() => archive.raiseHead(loginKey, places.base));
    const bounds = {
      head: Math.max(head, places.base),
      floor: isLost ? Math.max(floor, judged.floor) : Math.min(cursor + 1, Number.MAX_SAFE_INTEGER),
    };
    this.#options.log.warn("cursor_not_given_here", { kind: judged.kind });
    return { bounds, cursor: isLost ? cursor : 0 };
  }

  took({ identity }: Connection, place: number): void {
    if (identity && this.#options.store.places.judge(place).kind === "known") this.#took(identity, place);
  }

  close(): void {
    this.#cancelTaken?.();
    this.#cancelSweep();
    this.#writeTaken();
  }

  #store() {
    const { store } = this.#options;
    const write: HubStore["write"] = (work) => store.write(work);
    return { archive: store.archive, places: store.places, write };
  }

  #took(identity: Identity, place: number): void {
    const known = this.#taken.get(identity.id);
    if (known && known.place >= place) return;
    this.#taken.set(identity.id, { loginKey: identity.loginKey, spaces: spacesOf(identity), place });
    this.#cancelTaken ??= this.#options.clock.timer(TOOK_MS, () => this.#writeTaken());
  }

  #writeTaken(): void {
    this.#cancelTaken = undefined;
    const taken = [...this.#taken.values()];
    this.#taken.clear();
    const { archive, write } = this.#store();
    for (const { loginKey, spaces, place } of taken)
      this.#unanswered(write(() => archive.took(loginKey, spaces, place)));
  }

  #scheduleSweep(): void {
    const { clock, limits } = this.#options;
    this.#cancelSweep = clock.timer(limits.sweepMs, () => {
      const { archive, write } = this.#store();
      this.#unanswered(write(() => archive.sweep(clock.wallMs())));
      this.#scheduleSweep();
    });
  }

  /** Nobody waits for it; what was not written down is done by the next one. */
  #unanswered(work: Promise<unknown>): void {
    work.catch((error) => this.#options.log.warn("not_stored", { error: messageOf(error) }));
  }
}

const spacesOf = ({ memberships }: Identity): number[] => memberships.map(({ space }) => space);

/** Kinds by which a machine speaks for its space; a device that sent them could only be a liar, which its readers would find too. */
const MACHINE_KINDS: readonly number[] = [
  RECORD_KINDS.state,
  RECORD_KINDS.result,
  RECORD_KINDS.period,
  RECORD_KINDS.members,
  RECORD_KINDS.head,
];

function placeOf(connection: Connection, head: RecordHead): { space: number; isMachine: boolean } {
  const membership = connection.memberOf(keyId(head.space));
  if (!membership) throw recordRefused("it is for a space that you are no member of");
  if (keyId(head.sender) !== connection.identity!.id) throw recordRefused("its sender is somebody else");
  const isMachine = connection.role === "machine";
  if (!isMachine && MACHINE_KINDS.includes(head.kind)) throw recordRefused(`kind ${head.kind} is for machines to send`);
  return { space: membership.space, isMachine };
}
