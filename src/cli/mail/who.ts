import { lookForSession } from "../../local/find-session.ts";
import type { OptionSpec } from "../command.ts";
import type { Context } from "../context.ts";

/** Whom a command speaks for. */
export interface Who {
  name: string;
  /** The id of the session or agent that it runs in, when that has this name: nobody else can say it. */
  unit?: string;
  /** Where the secret is that a name belongs to. */
  keyFile?: string;
}

/** A person who has said nothing else. */
export const NOBODY_IN_PARTICULAR = "you";

export const WHO_OPTIONS = {
  as: { type: "string", value: "NAME", description: "speak for this name", group: "Who you are" },
  "key-file": {
    type: "string",
    value: "FILE",
    description: "the name belongs to the key in this file ($WARREN_MAIL_KEY_FILE)",
    group: "Who you are",
  },
} as const satisfies Record<string, OptionSpec>;

/**
 * `--as`; else the session or agent that the command runs in, by the name that it has now; else `$WARREN_MAIL_NAME`; else `you`. Inside a session its own
 * name needs no key.
 */
export function whoAmI(
  { env, places, machine }: Pick<Context, "env" | "places" | "machine">,
  values: { as?: string; "key-file"?: string },
): Who {
  const keyFile = values["key-file"] ?? (env.WARREN_MAIL_KEY_FILE || undefined);
  const unit = env.WARREN_SESSION || undefined;
  const unitName = unit && (lookForSession(places, unit)?.name ?? env.WARREN_UNIT);
  const name = values.as ?? (unitName || env.WARREN_MAIL_NAME || NOBODY_IN_PARTICULAR);
  return {
    name,
    // A session of this machine is none of another one's, also where that has one of its name.
    ...(unit && name === unitName && !machine ? { unit } : {}),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
}
