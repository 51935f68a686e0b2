import { utf8 } from "../bytes.ts";
import { type Link, NO_LINK, nextIn } from "../chain.ts";
import type { SealingCrypto, SigningKey } from "../crypto.ts";
import { fingerprintOf } from "../login.ts";
import { namesKey, newPeriodKey, streamId } from "../period.ts";
import {
  RECORD_KINDS,
  type RecordHead,
  type RecordKindName,
  recordHash,
  type SealedRecord,
  sealRecord,
} from "../record.ts";
import type { Reading, Sender } from "../take.ts";
import { hexOf } from "./fixed.ts";

/** One machine and one device at one hub, with a period's key between them. */
export interface Space {
  hub: Uint8Array;
  period: number;
  periodKey: Uint8Array;
  names: Uint8Array;
  machine: Member;
  device: Member;
}

export interface Member {
  login: SigningKey;
  signing: SigningKey;
  isMachine: boolean;
}

export async function newSpace(crypto: SealingCrypto): Promise<Space> {
  const member = async (isMachine: boolean): Promise<Member> => ({
    login: await crypto.newSigningKey(),
    signing: await crypto.newSigningKey(),
    isMachine,
  });
  const periodKey = newPeriodKey(crypto);
  const hub = await fingerprintOf(crypto, (await crypto.newSigningKey()).publicKey);
  const names = await namesKey(crypto, periodKey);
  return { hub, period: 4, periodKey, names, machine: await member(true), device: await member(false) };
}

export interface Written {
  kind?: RecordKindName;
  from?: Member;
  stream?: string;
  text?: string;
  after?: Link;
  /** Changes the head before it is sealed. */
  head?: Partial<RecordHead>;
}

/** A record of the space, sealed and signed, and its link. */
export async function write(
  crypto: SealingCrypto,
  space: Space,
  written: Written = {},
): Promise<{ record: SealedRecord; link: Link }> {
  const { kind = "item", stream = "mail", text = "a text", after = NO_LINK, from = space.machine } = written;
  const head: RecordHead = {
    kind: RECORD_KINDS[kind],
    space: space.machine.login.publicKey,
    stream: await streamId(crypto, space.names, stream),
    sender: from.login.publicKey,
    period: space.period,
    ...nextIn(after),
    atMs: 1_800_000_000_000,
    ...written.head,
  };
  const keys = { hub: space.hub, periodKey: space.periodKey };
  const record = await sealRecord(crypto, { head, text: utf8(text), keys, signer: from.signing });
  return { record, link: { seq: head.seq, hash: await recordHash(crypto, record) } };
}

/** What a reader of the space knows, with `known` as the last link of every chain. */
export function readingOf(space: Space, known: Link = NO_LINK): Reading {
  const senders = new Map<string, Sender>(
    [space.machine, space.device].map(({ login, signing, isMachine }) => [
      hexOf(login.publicKey),
      { signerKey: signing.publicKey, isMachine },
    ]),
  );
  return {
    hub: space.hub,
    space: space.machine.login.publicKey,
    senderOf: (loginKey) => senders.get(hexOf(loginKey)),
    periodKeyOf: (period) => (period === space.period ? space.periodKey : undefined),
    linkOf: () => known,
  };
}
