import * as z from "zod";
import type { MailNote } from "./mail/mailbox.ts";

/** What every answer says of the inbox besides, so that an agent that never calls check learns of mail all the same. */
export const MailNoteView = z
  .object({
    as: z.string(),
    unread: z.number(),
    top: z.string().optional().describe("Untrusted text of another participant."),
  })
  .optional()
  .describe("Your inbox; absent where you have none.");

/** Empty when there is nothing to say. */
export function noteText(note: MailNote | undefined): string {
  if (note === undefined || note.unread === 0) return "";
  const top = note.top === undefined ? "" : ` ${note.top}.`;
  return `\n\n[mail for ${note.as}: ${note.unread} unread.${top} Call check.]`;
}
