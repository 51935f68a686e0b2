import type { RemoteClock } from "../../contact/network.ts";
import { fromHex, toHex, utf8 } from "../../sealing/bytes.ts";
import { type Link, NO_LINK, nextIn } from "../../sealing/chain.ts";
import type { SealingCrypto, SigningKey } from "../../sealing/crypto.ts";
import { namesKey, streamId } from "../../sealing/period.ts";
import { RECORD_KINDS, recordHash, sealRecord } from "../../sealing/record.ts";
import { encodeJson, REQUESTS, requestHash } from "../../sealing/request.ts";
import { isSettled, type OutboxItem, type OutboxState, type OutboxStore } from "./outbox-item.ts";

/** What an item becomes on its way, each as one change of the store: numbered and written out, sealed for a hub, made anew, settled. */
export interface Change {
  item: OutboxItem;
  chain?: { id: string; link: Link };
}

export interface SealedPlace {
  hub: string;
  space: Uint8Array;
  loginKey: Uint8Array;
  period: number;
  periodKey: Uint8Array;
}

export interface RequestParts {
  store: OutboxStore;
  signer: SigningKey;
  crypto: SealingCrypto;
  clock: RemoteClock;
}

/** With its number and its text, which are made when it first goes. @param after the number of the last one before it that is open; 0: none */
export async function askedOf(item: OutboxItem, after: number, { clock, store }: RequestParts): Promise<Change> {
  if (item.asked && item.asked.text !== "") return { item };
  const { id, machine, unit, type, payload, approval, createdMs, deadlineMs } = item;
  const chain = `numbers/${machine}`;
  const last = (await store.link(chain))?.seq ?? 0;
  // By the clock, so that a device that was put back from a backup repeats none.
  const number = item.asked?.number ?? Math.max(last + 1, clock.wallMs());
  const text = encodeJson({
    id,
    target: { machine, ...(unit === undefined ? {} : { unit }) },
    type,
    payload,
    number,
    after,
    deadline_ms: deadlineMs,
    // A clock that was put back since would make its life look longer than any may be.
    sent_ms: Math.max(clock.wallMs(), createdMs),
    ...(approval === undefined ? {} : { approval }),
  });
  const asked = { number, text: new TextDecoder().decode(text) };
  const made: OutboxItem = { ...item, asked, state: item.state.kind === "queued" ? { kind: "sent" } : item.state };
  return item.asked ? { item: made } : { item: made, chain: { id: chain, link: { ...NO_LINK, seq: number } } };
}

export async function sealedOf(
  item: OutboxItem,
  place: SealedPlace,
  { crypto, clock, signer, store }: RequestParts,
): Promise<Change> {
  const text = utf8(item.asked!.text);
  const stream = await streamId(crypto, await namesKey(crypto, place.periodKey), REQUESTS);
  const chain = `${place.hub}/${toHex(place.space)}/${toHex(stream)}`;
  const head = {
    kind: RECORD_KINDS.request,
    space: place.space,
    stream,
    sender: place.loginKey,
    period: place.period,
    ...nextIn((await store.link(chain)) ?? NO_LINK),
    atMs: clock.wallMs(),
  };
  const keys = { hub: fromHex(place.hub)!, periodKey: place.periodKey };
  const record = await sealRecord(crypto, { head, text, keys, signer });
  const hash = await requestHash(crypto, text);
  const sealed = { hub: place.hub, bytes: record.bytes, seq: head.seq, hash, isPut: false };
  const link = { seq: head.seq, hash: await recordHash(crypto, record) };
  return { item: { ...item, state: { kind: "sent" }, sealed }, chain: { id: chain, link } };
}

/** Whatever has gone out of it, its number stays its own. */
export function madeAnew(item: OutboxItem): Change | undefined {
  if (isSettled(item) || !item.asked) return undefined;
  const { sealed: _, ...rest } = item;
  return { item: { ...rest, state: { kind: "sent" }, asked: { ...item.asked, text: "" } } };
}

/** A record that is not at its hub by now need not go there. */
export function settled({ sealed, ...item }: OutboxItem, state: OutboxState): OutboxItem {
  return { ...item, state, ...(sealed?.isPut ? { sealed } : {}) };
}
