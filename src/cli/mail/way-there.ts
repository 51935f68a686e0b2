import { knownMachines } from "../../local/remote/known-machines.ts";
import { isWarrenError, withFix } from "../../protocol/errors.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import type { Context } from "../context.ts";

/**
 * `fox@laptop` is an address of mail between machines that have joined each other. Where they have not, but this one is a device of `laptop`, its own mail is
 * reached through its hub. @throws the error, with that to type where it is so
 */
export function withWayThere(context: Context, to: readonly string[], error: unknown): never {
  if (context.machine || !isWarrenError(error, "NOT_JOINED")) throw error;
  const addresses = to.flatMap((address) => {
    const at = address.indexOf("@");
    return at > 0 ? [{ name: address.slice(0, at), machine: address.slice(at + 1) }] : [];
  });
  const known = knownMachines(context.places);
  const reached = addresses.find(({ machine }) => known.includes(machine));
  if (!reached) throw error;
  throw withFix(
    error,
    `warren --on ${quoteWord(reached.machine)} mail send ${quoteWord(reached.name)} …      # through its hub`,
  );
}
