import { WarrenError } from "../protocol/errors.ts";

/** What a hub refuses, in words that the person at the other end can act on. None names a key in full or anything sealed. */

export const loginRefused = (why: string): WarrenError =>
  new WarrenError("LOGIN_REFUSED", `The hub did not accept the login: ${why}.`, {
    fix: "check that the address belongs to the hub that you paired with",
  });

export const machineUnknown = (): WarrenError =>
  new WarrenError(
    "MACHINE_NOT_INVITED",
    "This hub does not know this machine, and admits none without an invitation.",
    {
      fix: "on the hub: warren hub invite",
    },
  );

export const deviceUnknown = (): WarrenError =>
  new WarrenError("DEVICE_UNKNOWN", "No machine of this hub has this device among its own, or not any more.", {
    fix: "on the machine: warren pair",
  });

export const keyNotKnown = (): WarrenError =>
  new WarrenError("KEY_NOT_KNOWN", "This hub lets nobody in with this key, or not any more.", {
    fix: "log in with the whole key",
  });

export const invitationRefused = (why: string): WarrenError =>
  new WarrenError("INVITATION_REFUSED", `The invitation ${why}.`, { fix: "on the hub: warren hub invite" });

export const hubFull = (what: string, limit: number): WarrenError =>
  new WarrenError("HUB_FULL", `This hub has its ${limit} ${what} already.`, {
    fix: "try again later, or use another hub: warren hub",
  });

export const addressFull = (what: string, limit: number): WarrenError =>
  new WarrenError("ADDRESS_FULL", `Your address has ${limit} ${what} at this hub already.`, {
    fix: "close one of them",
  });

export const memberFull = (limit: number): WarrenError =>
  new WarrenError("MEMBER_FULL", `This key has ${limit} connections at this hub already.`, {
    fix: "close a tab or a program that uses it",
  });

export const loginLate = (seconds: number): WarrenError =>
  new WarrenError("LOGIN_LATE", `No login came within ${seconds} s.`, { fix: "connect again" });

export const stayOver = (seconds: number): WarrenError =>
  new WarrenError("GUEST_LATE", `A pairing takes at most ${seconds} s.`, { fix: "on the machine: warren pair" });

export const frameInvalid = (why: string): WarrenError =>
  new WarrenError("FRAME_INVALID", `The hub cannot read what was sent: ${why}`, {
    fix: "update Warren at the end that is older",
  });

export const frameForbidden = (kind: string, role: string): WarrenError =>
  new WarrenError("FRAME_FORBIDDEN", `A ${role} may not send the frame "${kind}".`, {
    fix: "update Warren at the end that is older",
  });

export const tooSlow = (limit: number): WarrenError =>
  new WarrenError("TOO_SLOW", `More than ${limit} bytes wait to be read by this connection.`, {
    fix: "connect again: the hub goes on from the cursor",
  });

export const expelled = (): WarrenError =>
  new WarrenError("EXPELLED", "This key was removed from the hub.", { fix: "on the machine: warren pair" });

export const hubEnds = (): WarrenError =>
  new WarrenError("HUB_ENDS", "This hub is being stopped.", { fix: "connect again when it is back" });

export const spaceFull = (what: string): WarrenError =>
  new WarrenError("SPACE_FULL", `This machine's space at the hub is full: ${what}.`, {
    fix: "warren devices        # and revoke what is not used any more",
  });

export const recordTooLarge = (bytes: number, limit: number): WarrenError =>
  new WarrenError("RECORD_TOO_LARGE", `The record has ${bytes} bytes, and ${limit} are the most.`, {
    fix: "send less at once",
  });

export const recordRefused = (why: string): WarrenError =>
  new WarrenError("RECORD_REFUSED", `The hub does not take the record: ${why}.`, {
    fix: "log in again, and send it anew",
  });

export const recordOld = (has: number): WarrenError =>
  new WarrenError("RECORD_OLD", `The hub has a later state of this stream already: number ${has}.`, {
    fix: "send the state as it is now",
  });

export const rendezvousFull = (limit: number): WarrenError =>
  new WarrenError("RENDEZVOUS_FULL", `There are ${limit} open pairing codes of this member at the hub already.`, {
    fix: "let one of them be used, or wait two minutes",
  });

export const rendezvousTaken = (): WarrenError =>
  new WarrenError("RENDEZVOUS_TAKEN", "Another member waits at this rendezvous already.", { fix: "warren pair" });

export const invitationsFull = (limit: number): WarrenError =>
  new WarrenError("INVITATIONS_FULL", `${limit} invitations wait to be used already.`, {
    fix: "wait ten minutes: they end by themselves",
  });

export const hubNotStored = (why: string): WarrenError =>
  new WarrenError("HUB_NOT_STORED", `The hub could not write it down: ${why}.`, {
    fix: "on the hub: df -h        # is its disk full?",
  });

export const memberNotFound = (id: string): WarrenError =>
  new WarrenError("MEMBER_NOT_FOUND", `No member of this hub has the id ${id}.`, { fix: "warren hub members" });
