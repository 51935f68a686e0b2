import type { WireError } from "../../protocol/errors.ts";
import type { Link } from "../../sealing/chain.ts";
import type { Approval } from "../../sealing/request.ts";

/** A request to a machine that may be away. */
export interface OutboxItem {
  /** 16 random bytes as hex: the machine carries it out once, by whatever way it comes. */
  id: string;
  machine: string;
  unit?: string;
  /** A message of the protocol, and what it takes. */
  type: string;
  payload: Record<string, unknown>;
  /** In words, for a list of this device; never sent. */
  what?: string;
  approval?: Approval;
  createdMs: number;
  /** Wall time; refused by the machine after it. */
  deadlineMs: number;
  state: OutboxState;
  /** Why it waits for a person, where it does: its machine lets this device in no more. Never stored. */
  held?: WireError;
  /** What goes out, once it was to go: the same by every way, until its machine says that something before it is missing. */
  asked?: AskedItem;
  /** The same as a record, at a hub or on its way there. */
  sealed?: SealedItem;
}

export interface AskedItem {
  /** Of this device's requests to the machine, growing; it stays the item's. */
  number: number;
  /** A request as JSON; empty: it is to be made anew, under its number. */
  text: string;
}

export interface SealedItem {
  hub: string;
  bytes: Uint8Array;
  seq: number;
  /** SHA-256 of the request's text: what a result names. */
  hash: string;
  /** The hub has it in its store. */
  isPut: boolean;
}

export type OutboxState =
  /** Here alone: it can be edited, and taken back. */
  | { kind: "queued" }
  /** On its way; it may have arrived. */
  | { kind: "sent" }
  /** In a hub's store, for when the machine comes. */
  | { kind: "delivered" }
  | { kind: "done"; result: unknown }
  /** The machine's own word. */
  | { kind: "failed"; error: WireError }
  /** Its deadline went by, and nobody has said what became of it. */
  | { kind: "expired" };

export const isSettled = ({ state }: OutboxItem): boolean =>
  state.kind === "done" || state.kind === "failed" || state.kind === "expired";

export interface OutboxStore {
  /** In the order in which they were added. */
  items(): Promise<OutboxItem[]>;
  /** A new one goes last. With `chain` its link is written together with it. Whole or not at all, and on disk when it resolves. */
  put(item: OutboxItem, chain?: { id: string; link: Link }): Promise<void>;
  remove(id: string): Promise<void>;
  /** Undefined before the first record of the chain. */
  link(chain: string): Promise<Link | undefined>;
}
