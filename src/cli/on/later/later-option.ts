import type { OptionSpec } from "../../command.ts";

/** Of verbs that change something, and whose answer nobody needs at once. */
export const LATER_OPTION = {
  type: "string",
  value: "DURATION",
  optional: "7d",
  description:
    "where the machine of --on is away: when it is back; --later=2h for within two hours or not at all (default 7d)",
} as const satisfies OptionSpec;

export interface LaterValues {
  later?: string;
  json?: boolean;
}
