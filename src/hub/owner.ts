import { randomBytes } from "node:crypto";
import { type Clock, timestamp } from "../platform/clock.ts";
import type { HubAddress, HubMember, HubStatus } from "../protocol/hub-control.ts";
import type { SealingCrypto } from "../sealing/crypto.ts";
import { INVITATION_BYTES } from "../sealing/login.ts";
import { memberId } from "./admission.ts";
import type { HubAnswers } from "./control.ts";
import { memberNotFound } from "./errors.ts";
import type { Hub } from "./hub.ts";
import { HUB_LIMITS } from "./limits.ts";
import type { MemberRow } from "./roster.ts";
import type { HubStore } from "./store.ts";

/** What the hub answers its owner. */
export interface OwnerOptions {
  hub: Hub;
  store: HubStore;
  crypto: SealingCrypto;
  clock: Clock;
  /** What does not change while it runs, and what it is reached by. */
  facts: () => Pick<
    HubStatus,
    "pid" | "version" | "label" | "fingerprint" | "key" | "started_at" | "is_open" | "port"
  > & { addresses: HubAddress[] };
}

export function ownerAnswers(options: OwnerOptions): HubAnswers {
  return {
    status: () => status(options),
    invite: ({ for: label }) => invite(options, label),
    members: async () => ({ members: (await members(options)).map(({ member }) => member) }),
    remove: ({ id }) => remove(options, id),
  };
}

function status({ hub, store, clock, facts }: OwnerOptions): HubStatus {
  const { spaces: machines, devices, records, bytes, invitations } = store.totals(clock.wallMs());
  return { ...facts(), ...hub.facts(), machines, devices, invitations, records, record_bytes: bytes };
}

/** Its hash alone is kept: nobody can show it again, nor find it in a backup. */
async function invite({ store, clock, facts }: OwnerOptions, label: string | undefined) {
  const secret = randomBytes(INVITATION_BYTES);
  const nowMs = clock.wallMs();
  await store.write(() => store.roster.addInvitation(secret, label?.slice(0, 100), { nowMs }));
  const { addresses } = facts();
  const address = (addresses.find(({ for_phones }) => for_phones) ?? addresses[0])?.url ?? "";
  return {
    invitation: secret.toString("hex").replace(/.{8}(?=.)/g, "$&-"),
    expires_at: timestamp(nowMs + HUB_LIMITS.invitationMs),
    address,
  };
}

async function members({ store, hub, crypto }: OwnerOptions): Promise<{ row: MemberRow; member: HubMember }[]> {
  return Promise.all(
    store.roster.members().map(async (row) => {
      const [id, machine] = await Promise.all([memberId(crypto, row.loginKey), memberId(crypto, row.machine)]);
      const member: HubMember = {
        id,
        kind: row.isMachine ? "machine" : "device",
        ...(row.isMachine ? {} : { machine }),
        ...(row.label === undefined ? {} : { label: row.label }),
        is_connected: hub.isConnected(row.loginKey, row.isMachine ? "machine" : "device"),
        admitted_at: timestamp(row.admittedMs),
        ...(row.seenMs === undefined ? {} : { last_seen: timestamp(row.seenMs) }),
        ...(row.isMachine ? { records: row.recordCount, bytes: row.bytes } : {}),
      };
      return { row, member };
    }),
  );
}

async function remove(options: OwnerOptions, id: unknown): Promise<{ removed: HubMember }> {
  const wanted = String(id).toLowerCase();
  const found = (await members(options)).find(({ member }) => member.id === wanted);
  if (!found) throw memberNotFound(wanted);
  await options.hub.members.remove(found.row.loginKey);
  return { removed: found.member };
}
