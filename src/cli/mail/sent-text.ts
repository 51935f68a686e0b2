import { liveSessions } from "../../local/find-session.ts";
import type { Recipient } from "../../protocol/mail-units.ts";
import { neverTaken } from "../../protocol/mail-words.ts";
import type { DataOf } from "../../protocol/messages.ts";
import { suggest } from "../../protocol/suggest.ts";
import type { Context } from "../context.ts";
import { hintLines } from "../render/hints.ts";
import { escapedLine } from "./untrusted-text.ts";

/** What the sender of a message is told: that it is kept, and of whom it may have to wait for. */
const BACKLOG_TOLD_FROM = 100;

export function tellSent(
  context: Context,
  { message, recipients, is_new }: DataOf<"mail.send">,
  { json, quiet }: { json?: boolean | undefined; quiet?: boolean | undefined },
): void {
  const { output } = context;
  if (json) return output.json({ message, recipients, is_new });
  if (quiet) output.line(message.id);
  else {
    const names = namesText(recipients.map(({ name }) => output.style.bold(escapedLine(name))));
    output.line(`${message.seq}  ${is_new ? "kept for" : "was sent before, to"} ${names}`);
  }
  tellWorries(context, recipients);
  if (quiet) return;
  for (const line of hintLines(output, [[`warren mail show ${message.seq}`, "how far it has come"]])) output.line(line);
}

/** To stderr: of whom an answer may be long in coming. */
export function tellWorries(context: Context, recipients: readonly Recipient[]): void {
  for (const line of worriesOf(context, recipients)) context.output.errorLine(line);
}

export const worriesOf = (context: Context, recipients: readonly Recipient[]): string[] =>
  recipients.flatMap((one) => worryOf(context, one) ?? []);

/** Nobody of that name, one that is gone, one that does not read. */
function worryOf(context: Context, recipient: Recipient): string | undefined {
  const { name, known, presence, unread, suggestion } = recipient;
  const shown = escapedLine(name);
  if (recipient.machine_away === true)
    return `! the machine ${escapedLine(name.slice(name.indexOf("@") + 1))} is away: the message goes when it is back`;
  const sessions = liveSessions(context.places).map((session) => session.name);
  if (sessions.includes(name)) return undefined; // one that the mailbox has only not been told of yet
  if (!known) {
    const near = suggestion ?? suggest(name, sessions);
    return `! ${neverTaken(shown)}: the message waits for whoever takes the name.${near === undefined ? "" : ` Did you mean ${escapedLine(near)}?`}`;
  }
  if (unread >= BACKLOG_TOLD_FROM) return `! ${shown} has ${unread} unread messages`;
  return presence === "gone" ? `! ${shown} is not here: the message waits for it` : undefined;
}

/** `fox`, `fox and owl`, `fox, owl and 7 more`. */
function namesText(names: readonly string[]): string {
  if (names.length === 0) return "nobody: there is no one to send it to";
  const shown = names.slice(0, 3);
  const more = names.length - shown.length;
  if (more > 0) return `${shown.join(", ")} and ${more} more`;
  return shown.length === 1 ? shown[0]! : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}
