import { KEY_BYTES } from "./crypto.ts";
import { formInvalid } from "./errors.ts";
import { decodeWith, encodeWith, fixed, str8, struct } from "./layout.ts";
import { PERIOD_COPIES_MAX } from "./period.ts";
import { scopes } from "./scopes.ts";

/**
 * The text of a `members` record: the machine's list of the devices that it lets in, so that each of them sees who else there is, and that one is gone.
 * The record's signature is what makes it the machine's.
 */

const MEMBER = struct({
  /** At this hub; 32 zeros where it is not met here. */
  loginKey: fixed(KEY_BYTES),
  /** Ed25519: who it is. */
  signingKey: fixed(KEY_BYTES),
  scopes,
  name: str8,
  platform: str8,
});
export type RecordMember = ReturnType<typeof MEMBER.read>;

/** @throws FORM_INVALID: more than a space has members, or a name of more than 255 bytes */
export const encodeMembers = (members: readonly RecordMember[]): Uint8Array =>
  encodeWith("list of members", (writer) => {
    if (members.length > PERIOD_COPIES_MAX) throw tooMany(members.length);
    writer.integer(members.length, 1);
    for (const member of members) MEMBER.write(member, writer);
  });

/** @throws FORM_INVALID */
export const decodeMembers = (text: Uint8Array): RecordMember[] =>
  decodeWith("list of members", text, (reader) => {
    const count = reader.integer(1);
    if (count > PERIOD_COPIES_MAX) throw tooMany(count);
    return Array.from({ length: count }, () => MEMBER.read(reader));
  });

const tooMany = (count: number) => formInvalid("list of members", `${count} devices are too many`);
