import { WarrenError } from "../../protocol/errors.ts";

/** What the mailbox's leader refuses, and why. */

export const handingOver = (): WarrenError =>
  new WarrenError("SERVER_ENDING", "Another process takes the lead of the mailbox; ask again.");

export const notOfMailbox = (type: string): WarrenError =>
  new WarrenError("UNKNOWN_TYPE", `The mailbox's leader has no ${type}: that is asked of a server.`, {
    fix: "warren servers",
  });

export const protocolMismatch = (
  mine: { min: number; max: number },
  theirs: { min: number; max: number },
): WarrenError => {
  const clientIsOld = theirs.max < mine.min;
  return new WarrenError(
    "PROTOCOL_MISMATCH",
    clientIsOld
      ? `This client is too old for the mailbox's leader (protocol ${theirs.max}; the leader speaks ${mine.min} to ${mine.max}).`
      : `The mailbox's leader is too old for this client (protocol ${mine.max}; the client speaks ${theirs.min} to ${theirs.max}).`,
    {
      fix: clientIsOld ? "npm install -g warren@latest" : "warren mail yield",
      detail: { leader: mine, client: theirs },
    },
  );
};

export const internal = (reason: string): WarrenError =>
  new WarrenError("INTERNAL", `Something failed inside the mailbox: ${reason}`, { fix: "warren mail status" });

export const tooManyConnections = (max: number): WarrenError =>
  new WarrenError("TOO_MANY_CONNECTIONS", `The mailbox's leader has ${max} connections, and takes no more.`, {
    fix: "warren mail status",
  });

export const otherUser = (uid: number | undefined): WarrenError =>
  new WarrenError(
    "OTHER_USER",
    uid === undefined
      ? "It could not be found out whose connection this is; the mailbox is its user's alone."
      : `This connection is user ${uid}'s; the mailbox is its user's alone, unless a shared secret is set.`,
    { fix: "export IPC_SHARED_SECRET=…      # the same for the leader and its clients" },
  );

export const successorFailed = (why: string): WarrenError =>
  new WarrenError("SUCCESSOR_FAILED", `The process that was to lead the mailbox ${why}; the leader stays.`, {
    fix: "tail ~/.warren/logs/servers/mail.log",
  });

export const alreadyHandingOver = (): WarrenError =>
  new WarrenError("SERVER_ENDING", "The lead of the mailbox is being handed over already; ask again.");

export const lockTaken = (): WarrenError =>
  new WarrenError("MAIL_LOCK_TAKEN", "Another process took the mailbox's lock first.");
