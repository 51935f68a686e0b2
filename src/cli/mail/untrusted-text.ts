import { escaped } from "../../protocol/untrusted-mail.ts";

/** What somebody else has written, in one line, for a terminal that it must not steer. */
export const escapedLine = (text: string): string => escaped(text.replace(/\s+/g, " ").trim());
