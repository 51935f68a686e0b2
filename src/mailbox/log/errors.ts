import { messageOf, WarrenError } from "../../protocol/errors.ts";
import { quoteWord } from "../../protocol/quote-word.ts";

/** What the log refuses, and why. */

export const fenced = (ours: number, theirs: number): WarrenError =>
  new WarrenError(
    "MAIL_FENCED",
    `The mailbox is led by epoch ${theirs}; this leader's epoch ${ours} is over. Nothing was changed.`,
    {
      detail: { epoch: theirs },
    },
  );

export const notStored = (cause: unknown): WarrenError =>
  new WarrenError(
    "MAIL_NOT_STORED",
    `The mailbox could not write its log: ${messageOf(cause)}. Nothing was acknowledged.`,
    {
      fix: "df -h ~/.warren",
      cause,
    },
  );

export const notLeading = (): WarrenError =>
  new WarrenError("MAIL_NOT_LEADING", "This process does not lead the mailbox. Nothing was changed.");

export const closed = (): WarrenError => new WarrenError("MAIL_CLOSED", "The mailbox's log was closed.");

export const logReplaced = (path: string): Error => new Error(`${path} was replaced or removed while it was in use`);

export const networkFileSystem = (path: string, kind: string): WarrenError =>
  new WarrenError(
    "MAIL_NETWORK_FILE_SYSTEM",
    `${path} is on ${kind}, where SQLite's locks and shared memory do not hold; the mailbox would lose messages.`,
    { fix: "export WARREN_HOME=/var/tmp/warren" },
  );

export const oldSqlite = (version: string): WarrenError =>
  new WarrenError(
    "MAIL_SQLITE_TOO_OLD",
    `This Node brings SQLite ${version}; the mailbox needs 3.51.3 (its write-ahead log can be damaged before that).`,
    {
      fix: "npm install -g warren@latest",
    },
  );

export const logTooNew = (path: string, version: number, ours: number): WarrenError =>
  new WarrenError(
    "STATE_TOO_NEW",
    `${path} was written by a newer Warren (format ${version}; this one reads up to ${ours}). Nothing was changed.`,
    { fix: "npm install -g warren@latest" },
  );

export const logDamaged = (path: string, cause: unknown): WarrenError =>
  new WarrenError("MAIL_LOG_DAMAGED", `${path} cannot be read: ${messageOf(cause)}. It was left as it is.`, {
    fix: `mv ${quoteWord(path)} ${quoteWord(`${path}.damaged`)} && cp BACKUP ${quoteWord(path)}`,
    cause,
  });

export const invalidName = (name: string): WarrenError =>
  new WarrenError(
    "INVALID_NAME",
    `"${name.slice(0, 80)}" is no name of a participant: 1 to 32 letters, digits, "-" and "_"; a group's begins with "@".`,
    { fix: "warren mail list" },
  );

export const nameReserved = (name: string): WarrenError =>
  new WarrenError("NAME_RESERVED", `"${name}" is the mailbox's own name.`, { fix: "warren mail register NAME" });

export const nameTaken = (name: string, pid: number): WarrenError =>
  new WarrenError("NAME_TAKEN", `"${name}" is in use by process ${pid}. It is free when that has ended.`, {
    fix: "warren mail list",
    detail: { pid },
  });

export const nameOwned = (name: string, owner: "key" | "unit"): WarrenError =>
  new WarrenError(
    "NAME_OWNED",
    owner === "key"
      ? `"${name}" belongs to a key, and this client has not shown it.`
      : `"${name}" belongs to a session or agent; only what runs in it speaks for it.`,
    { fix: owner === "key" ? `warren mail register ${name} --key-file FILE` : `warren mail history ${name}` },
  );

export const nameForwarded = (name: string, to: string): WarrenError =>
  new WarrenError("NAME_TAKEN", `"${name}" was renamed to "${to}", and its mail still goes there.`, {
    fix: "warren mail list",
  });

export const noName = (): WarrenError =>
  new WarrenError("NAME_NEEDED", "It is not known who asks: no name was given or registered.", {
    fix: "warren mail register NAME",
  });

export const groupUnknown = (group: string, suggestion: string | undefined): WarrenError =>
  new WarrenError("GROUP_UNKNOWN", `Nobody is in the group "@${group}".`, {
    fix: suggestion === undefined ? `warren mail groups --join ${group}` : `warren mail send @${suggestion} TEXT`,
    detail: suggestion === undefined ? {} : { suggestion: `@${suggestion}` },
  });

export const noRecipients = (): WarrenError =>
  new WarrenError("RECIPIENT_NEEDED", "The message is addressed to nobody.", { fix: "warren mail send NAME TEXT" });

export const tooManyAddresses = (count: number, max: number): WarrenError =>
  new WarrenError("TOO_MANY_RECIPIENTS", `The message is addressed to ${count} names; at most ${max} are possible.`, {
    fix: "warren mail send @GROUP TEXT",
  });

export const messageTooLarge = (bytes: number, max: number): WarrenError =>
  new WarrenError("MESSAGE_TOO_LARGE", `The message has ${bytes} bytes; at most ${max} are possible.`, {
    fix: "Put it into a file, and send the file's path.",
    detail: { bytes, max },
  });

export const mailboxFull = (name: string, unread: number): WarrenError =>
  new WarrenError("MAILBOX_FULL", `"${name}" has ${unread} unread messages, and takes no more until it reads some.`, {
    fix: "warren mail list",
    detail: { to: name, unread },
  });

export const invalidValue = (field: string, value: unknown, allowed: string): WarrenError =>
  new WarrenError("INVALID_PAYLOAD", `${field} is ${JSON.stringify(value)?.slice(0, 80)}; it has to be ${allowed}.`);

export const messageNotFound = (id: string, name: string): WarrenError =>
  new WarrenError("MESSAGE_NOT_FOUND", `"${name}" has no message ${id.slice(0, 80)}.`, { fix: "warren mail history" });

export const messageAmbiguous = (id: string, senders: string[]): WarrenError =>
  new WarrenError(
    "MESSAGE_AMBIGUOUS",
    `Messages ${id.slice(0, 80)} came from ${senders.join(" and ")}: say whose is meant.`,
    {
      detail: { candidates: senders },
    },
  );

export const requestReused = (id: string, first: string): WarrenError =>
  new WarrenError("REQUEST_ID_REUSED", `The request id ${id.slice(0, 80)} was used for a ${first} before.`, {
    fix: "Make a new id for each request.",
  });

export const backupPath = (path: string, problem: string): WarrenError =>
  new WarrenError("MAIL_BACKUP_PATH", `${path} ${problem}; a backup needs an absolute path that is not there yet.`, {
    fix: "warren mail backup ~/mail-backup.db",
  });
