import { isWarrenError, withFix } from "../../../protocol/errors.ts";
import { quoteWord } from "../../../protocol/quote-word.ts";
import type { AnyCommand } from "../../command.ts";

/** A machine that is away, and a verb that can wait for it: what to type for that. Everything else stays as it is. */
export async function suggestLater(
  error: unknown,
  { command, name, args, machine }: { command: AnyCommand; name: string; args: readonly string[]; machine: string },
): Promise<unknown> {
  if (!isWarrenError(error, "MACHINE_AWAY")) return error;
  const [word, ...rest] = args;
  const topic = command.topics?.find((one) => one.name === word);
  const asked = topic ? await topic.load() : command;
  if (!asked.options.later) return error;
  const typed = [name, ...(topic ? [topic.name] : []), "--later", ...(topic ? rest : args)];
  const line = ["warren", "--on", machine, ...typed].map(quoteWord).join(" ");
  return withFix(error, `${line}      # has it done when ${quoteWord(machine)} is back`);
}
