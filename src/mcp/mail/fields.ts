import * as z from "zod";
import { NAME } from "../../local/mail-keys.ts";

/** Arguments that several mail tools take. */
export const MailName = z
  .string()
  .regex(NAME, 'one to 32 letters, digits, "-" and "_"')
  .describe("A participant's name.");
export const Text = z
  .string()
  .min(1)
  .describe("What to say, up to a mebibyte; larger things go into a file whose path you send.");
export const Data = z.record(z.string(), z.unknown()).optional().describe("An object for programs, beside the text.");
export const Subject = z.string().optional().describe("A line that stands above it.");
export const From = z.string().optional().describe("Only what this participant has sent.");
export const Thread = z.string().optional().describe("Only of this exchange.");
export const MaxCharacters = z
  .number()
  .int()
  .positive()
  .max(1_100_000)
  .optional()
  .describe("Of each message's text; default 8,000.");
