import type { SealingCrypto, SigningKey } from "../sealing/crypto.ts";
import {
  fingerprintOf,
  INVITATION_BYTES,
  isInvited,
  isLoginSigned,
  type Login,
  type LoginFacts,
} from "../sealing/login.ts";
import { type Identity, keyId } from "./connection.ts";
import { deviceUnknown, invitationRefused, keyNotKnown, loginRefused, machineUnknown } from "./errors.ts";
import type { HubStore } from "./store.ts";

/**
 * Who may come in: a machine that the hub's owner has invited, or any where the hub is open; a device that a machine has admitted; any guest, to pair and
 * nothing else. A login counts for the connection whose nonce it has signed, and for this hub alone.
 */
export interface AdmissionOptions {
  crypto: SealingCrypto;
  key: SigningKey;
  store: HubStore;
  /** Admits every machine. */
  isOpen: boolean;
  nowMs: () => number;
}

export interface Admitted {
  identity: Identity;
  facts: LoginFacts;
}

export class Admission {
  readonly #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** @throws LOGIN_REFUSED, KEY_NOT_KNOWN, MACHINE_NOT_INVITED, INVITATION_REFUSED, DEVICE_UNKNOWN, HUB_FULL, HUB_NOT_STORED */
  async check(login: Login, hubNonce: Uint8Array): Promise<Admitted> {
    const { crypto, key } = this.#options;
    const loginKey = this.#keyOf(login);
    const facts: LoginFacts = { hubKey: key.publicKey, hubNonce, nonce: login.nonce, loginKey };
    if (!(await isLoginSigned(crypto, login, facts)))
      throw loginRefused("its signature is not for this hub and this connection");
    if (login.role === "machine") await this.#admitMachine(login, facts);
    return { identity: this.identityOf(login.role, loginKey), facts };
  }

  /** As the store has it at this moment. @throws DEVICE_UNKNOWN, MACHINE_NOT_INVITED */
  identityOf(role: Login["role"], loginKey: Uint8Array): Identity {
    const memberships = role === "guest" ? [] : this.#options.store.roster.memberships(role, loginKey);
    if (role === "device" && memberships.length === 0) throw deviceUnknown();
    if (role === "machine" && memberships.length === 0) throw machineUnknown();
    return { role, loginKey, id: keyId(loginKey), memberships };
  }

  #keyOf({ role, key }: Login): Uint8Array {
    if (key.length > INVITATION_BYTES) return new Uint8Array(key);
    const known = role === "guest" ? undefined : this.#options.store.roster.keyOf(role, key);
    if (!known) throw keyNotKnown();
    return known;
  }

  async #admitMachine(login: Login, facts: LoginFacts): Promise<void> {
    const { store, isOpen, nowMs } = this.#options;
    const { loginKey } = facts;
    if (store.roster.memberships("machine", loginKey).length > 0) return;
    if (login.invitation === undefined) {
      if (!isOpen) throw machineUnknown();
      return store.write(() => store.roster.addMachine(loginKey, undefined, nowMs()));
    }
    const hash = await this.#invitationOf(login, facts);
    await store.write(() => {
      if (hash) store.roster.checkRoom(); // a refusal undoes nothing: the invitation would be used up
      const taken = hash && store.roster.takeInvitation(hash, nowMs());
      if (!taken) throw invitationRefused("is not of this hub, was used already, or is older than ten minutes");
      store.roster.addMachine(loginKey, taken.label, nowMs());
    });
  }

  async #invitationOf(login: Login, facts: LoginFacts): Promise<Uint8Array | undefined> {
    const { crypto, store, nowMs } = this.#options;
    for (const invitationHash of store.roster.openInvitations(nowMs()))
      if (await isInvited(crypto, { login, facts, invitationHash })) return invitationHash;
    return undefined;
  }
}

/** How a member is named to people: the first half of its key's fingerprint. */
export const memberId = async (crypto: SealingCrypto, loginKey: Uint8Array): Promise<string> =>
  keyId((await fingerprintOf(crypto, loginKey)).subarray(0, 8));
