import { WarrenError } from "../protocol/errors.ts";

/** The errors of the byte formats. None names a key, a secret or a text: they are logged, and shown at hubs. */

/** Bytes that are no `what`: cut, too long, or of another form. */
export const formInvalid = (what: string, why: string) =>
  new WarrenError("FORM_INVALID", `This is no valid ${what}: ${why}.`);

/** A version that we do not speak. */
export const versionUnknown = (what: string, version: number) =>
  new WarrenError("VERSION_UNKNOWN", `The ${what} has version ${version}, and this Warren knows version 1.`, {
    fix:
      version > 1
        ? "update Warren at this end: it is the older one"
        : "update Warren at the other end: it is the older one",
  });

/** Sealed for another key or context, or changed on the way. */
export const sealBroken = (what: string) =>
  new WarrenError("SEAL_BROKEN", `The ${what} does not open: it was changed, or sealed for somebody else.`);

export const keyRefused = (why: string) => new WarrenError("KEY_REFUSED", `The other end's key is refused: ${why}.`);

export const signatureWrong = (what: string) =>
  new WarrenError("SIGNATURE_WRONG", `The signature of the ${what} is not by the key that it names.`);

export const recordTooLarge = (bytes: number, maxBytes: number) =>
  new WarrenError("RECORD_TOO_LARGE", `${bytes} bytes do not fit a record; at most ${maxBytes} do.`);

export const notForUs = (period: number) =>
  new WarrenError(
    "NOT_FOR_US",
    `Period ${period} has no key for this device: it was let in later, or is let in no more.`,
    {
      fix: "pair this device with the machine again",
    },
  );
