import { concat, isEqual, utf8 } from "./bytes.ts";
import { KEY_BYTES, type SealingCrypto, SIGNATURE_BYTES, type SigningKey } from "./crypto.ts";
import { formInvalid } from "./errors.ts";
import { encodeWith, type Field, fixed, type Reader, u64 } from "./layout.ts";

/**
 * The login (docs/remote-design.md, Login): the hub's nonce, a signature over it, the hub's key, an own nonce, the login key and the role;
 * then the hub's signature over the same. So a login fits one connection to one hub, and there is no token to steal.
 */

export const NONCE_BYTES = 16;
export const FINGERPRINT_BYTES = 16;
/** Of an invitation, and of the proof that one is known. */
export const INVITATION_BYTES = 16;

/** What somebody is at a hub; a `guest` may pair and nothing else, under any key. */
export type Role = "machine" | "device" | "guest";
const ROLE_NUMBERS: Readonly<Record<Role, number>> = { machine: 1, device: 2, guest: 3 };

/** Flags of a login: bits 0 and 1 are the role. */
const WHOLE_KEY = 0b0100;
const WITH_INVITATION = 0b1000;

export interface Login {
  role: Role;
  /** The whole login key (32 bytes) where the hub may not know it, else its fingerprint (16). */
  key: Uint8Array;
  nonce: Uint8Array;
  signature: Uint8Array;
  /** The last place that was taken; 0 for none. */
  cursor: number;
  /** Shows that an invitation is known, without showing it: see {@link invitationProof}. */
  invitation?: Uint8Array;
}

export interface Welcome {
  signature: Uint8Array;
  /** Absent when the cursor is the head, and nothing was missed. */
  missed?: { head: number; floor: number };
}

/** What both signatures are over, besides their purpose. */
export interface LoginFacts {
  /** The hub's whole key. */
  hubKey: Uint8Array;
  hubNonce: Uint8Array;
  nonce: Uint8Array;
  /** The whole login key. */
  loginKey: Uint8Array;
}

export interface NewLogin {
  hubKey: Uint8Array;
  hubNonce: Uint8Array;
  key: SigningKey;
  role: Role;
  cursor: number;
  /** Send the whole key: the hub may not know it yet. A guest's always is. Default false. */
  isNew?: boolean;
  /** 16 bytes of `warren hub invite`, of a machine that the hub does not know. */
  invitation?: Uint8Array;
}

/** The login that answers a hello, and the facts that its welcome has to be over. */
export async function makeLogin(crypto: SealingCrypto, wanted: NewLogin): Promise<{ login: Login; facts: LoginFacts }> {
  const { hubKey, hubNonce, key, role, cursor } = wanted;
  const facts = { hubKey, hubNonce, nonce: crypto.random(NONCE_BYTES), loginKey: key.publicKey };
  const isWhole = wanted.isNew === true || role === "guest" || wanted.invitation !== undefined;
  const login: Login = {
    role,
    key: isWhole ? key.publicKey : await fingerprintOf(crypto, key.publicKey),
    nonce: facts.nonce,
    signature: await crypto.sign(key, loginText(facts, role)),
    cursor,
  };
  if (wanted.invitation !== undefined) {
    const hash = await crypto.sha256(wanted.invitation);
    login.invitation = await invitationProof(crypto, { invitationHash: hash, facts });
  }
  return { login, facts };
}

/** Whether the login is by `facts.loginKey`, for this hub and this connection's nonce. The caller finds the key by its fingerprint. */
export const isLoginSigned = (crypto: SealingCrypto, login: Login, facts: LoginFacts): Promise<boolean> =>
  crypto.verify(facts.loginKey, loginText(facts, login.role), login.signature);

/** @param hubKey the hub's own; its public half is `facts.hubKey` */
export async function makeWelcome(
  crypto: SealingCrypto,
  {
    hubKey,
    facts,
    cursor,
    head,
    floor,
  }: { hubKey: SigningKey; facts: LoginFacts; cursor: number; head: number; floor: number },
): Promise<Welcome> {
  if (cursor === head) return { signature: await crypto.sign(hubKey, welcomeText(facts, { head, floor: head })) };
  return { signature: await crypto.sign(hubKey, welcomeText(facts, { head, floor })), missed: { head, floor } };
}

/** Whether the welcome is the hub's own answer to this login; `cursor` is the one of the login. */
export const isWelcomeSigned = (
  crypto: SealingCrypto,
  { welcome, facts, cursor }: { welcome: Welcome; facts: LoginFacts; cursor: number },
): Promise<boolean> =>
  crypto.verify(facts.hubKey, welcomeText(facts, welcome.missed ?? { head: cursor, floor: cursor }), welcome.signature);

/** The first 16 bytes of a key's SHA-256: short, and nobody finds another key for it. */
export const fingerprintOf = async (crypto: SealingCrypto, key: Uint8Array): Promise<Uint8Array> =>
  (await crypto.sha256(key)).slice(0, FINGERPRINT_BYTES);

/**
 * What goes over the wire instead of an invitation: an HMAC of this very login under the invitation's hash, which is all that the hub keeps.
 * So whoever only pretends to be the hub cannot take the invitation to the real one. 16 bytes.
 */
async function invitationProof(
  crypto: SealingCrypto,
  { invitationHash, facts }: { invitationHash: Uint8Array; facts: LoginFacts },
): Promise<Uint8Array> {
  const text = concat(utf8("warren invitation 1\0"), ...factsOf(facts));
  return (await crypto.hmac(invitationHash, text)).slice(0, INVITATION_BYTES);
}

/** Takes the same time wherever the two differ. */
export const isInvited = async (
  crypto: SealingCrypto,
  { login, facts, invitationHash }: { login: Login; facts: LoginFacts; invitationHash: Uint8Array },
): Promise<boolean> =>
  login.invitation !== undefined && isEqual(login.invitation, await invitationProof(crypto, { invitationHash, facts }));

const loginText = (facts: LoginFacts, role: Role): Uint8Array =>
  concat(utf8("warren hub login 1\0"), ...factsOf(facts), Uint8Array.of(ROLE_NUMBERS[role]));

const welcomeText = (facts: LoginFacts, { head, floor }: { head: number; floor: number }): Uint8Array =>
  concat(
    utf8("warren hub welcome 1\0"),
    ...factsOf(facts),
    encodeWith("welcome", (writer) => {
      writer.integer(head, 8);
      writer.integer(floor, 8);
    }),
  );

/** Fixed lengths, one after another: no two facts make the same bytes. */
function factsOf({ hubKey, hubNonce, nonce, loginKey }: LoginFacts): Uint8Array[] {
  const areLengthsRight =
    hubKey.length + loginKey.length === 2 * KEY_BYTES && hubNonce.length + nonce.length === 2 * NONCE_BYTES;
  if (!areLengthsRight || hubKey.length !== KEY_BYTES || nonce.length !== NONCE_BYTES)
    throw formInvalid("login", "a key or a nonce has a wrong length");
  return [hubKey, hubNonce, nonce, loginKey];
}

/** The bodies of frames 2 and 3. */
export const loginField: Field<Login> = {
  write({ role, key, nonce, signature, cursor, invitation }, writer) {
    const isWhole = key.length === KEY_BYTES;
    writer.integer(
      ROLE_NUMBERS[role] | (isWhole ? WHOLE_KEY : 0) | (invitation === undefined ? 0 : WITH_INVITATION),
      1,
    );
    fixed(isWhole ? KEY_BYTES : FINGERPRINT_BYTES).write(key, writer);
    fixed(NONCE_BYTES).write(nonce, writer);
    fixed(SIGNATURE_BYTES).write(signature, writer);
    writer.integer(cursor, 8);
    if (invitation !== undefined) fixed(INVITATION_BYTES).write(invitation, writer);
  },
  read(reader) {
    const flags = reader.integer(1);
    const login: Login = {
      role: roleOf(flags, reader),
      key: reader.raw(flags & WHOLE_KEY ? KEY_BYTES : FINGERPRINT_BYTES),
      nonce: reader.raw(NONCE_BYTES),
      signature: reader.raw(SIGNATURE_BYTES),
      cursor: reader.integer(8),
    };
    return flags & WITH_INVITATION ? { ...login, invitation: reader.raw(INVITATION_BYTES) } : login;
  },
};

function roleOf(flags: number, reader: Reader): Role {
  const number = flags & 0b0011;
  const role = (Object.keys(ROLE_NUMBERS) as Role[]).find((name) => ROLE_NUMBERS[name] === number);
  if (role === undefined || flags > 0b1111) throw formInvalid(reader.what, `its flags are ${flags}`);
  return role;
}

export const welcomeField: Field<Welcome> = {
  write({ signature, missed }, writer) {
    fixed(SIGNATURE_BYTES).write(signature, writer);
    if (missed === undefined) return;
    u64.write(missed.head, writer);
    u64.write(missed.floor, writer);
  },
  read(reader) {
    const signature = reader.raw(SIGNATURE_BYTES);
    return reader.left === 0
      ? { signature }
      : { signature, missed: { head: u64.read(reader), floor: u64.read(reader) } };
  },
};
