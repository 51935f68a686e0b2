import { systemCode, WarrenError } from "../protocol/errors.ts";
import { EXIT } from "../protocol/outcome.ts";
import { parseArguments } from "./arguments.ts";
import type { Context } from "./context.ts";
import { exitStatusOfCode } from "./exit-status.ts";
import { takeMachine, takeOn } from "./on/on-flag.ts";
import type { Output } from "./output.ts";
import { renderError } from "./render/error.ts";
import { unknownFlag, withHelp } from "./usage-error.ts";
import { findVerb } from "./verbs.ts";

/** From the arguments to the exit status: find the verb, read its arguments, run it, say what went wrong. */
export async function runCli(
  argv: readonly string[],
  makeContext: (on?: string) => Context | Promise<Context>,
  output: Output,
): Promise<number> {
  let json = wantsJson(argv);
  let context: Context | undefined;
  let verbName: string | undefined;
  try {
    const { on, rest } = takeOn(argv);
    json = wantsJson(rest);
    const [word, args] = verbOf(rest);
    const verb = findVerb(word);
    if (!verb) {
      const { unknownVerb } = await import("./elsewhere/mended.ts");
      throw await unknownVerb(rest, await openContext(makeContext));
    }
    verbName = verb.name;
    const command = await verb.load();
    const parsed = parseArguments(verb.name, command, args);
    if (parsed.kind === "help") {
      const { renderCommandHelp } = await import("./render/help.ts");
      output.line(renderCommandHelp(verb, command, output.style));
      return EXIT.ok;
    }
    const asked = takeMachine(command, parsed.input, on);
    context = await openContext(() => makeContext(asked));
    const { machine } = context;
    if (machine) {
      const { assertPossible } = await import("./on/possible.ts");
      assertPossible(verb.on, { name: verb.name, args, machine: machine.name });
      machine.explain = async (error) => {
        const { suggestLater } = await import("./on/later/suggest-later.ts");
        return suggestLater(error, { command, name: verb.name, args, machine: machine.name });
      };
    }
    return await command.run(context, parsed.input);
  } catch (thrown) {
    const error = verbName ? withHelp(thrown, verbName) : thrown;
    if (error instanceof WarrenError) {
      renderError(context?.output ?? output, await asMeant(error, argv, makeContext), json);
      return exitStatusOfCode(error.code);
    }
    if (systemCode(error)) {
      renderError(
        output,
        new WarrenError(systemCode(error)!, (error as Error).message, { fix: "warren doctor" }),
        json,
      );
      return EXIT.error;
    }
    const { reportBug } = await import("./render/bug.ts");
    reportBug(output, error, context?.places, context?.env);
    return EXIT.error;
  }
}

/** With what is to be typed, where the line is another tool's. */
async function asMeant(
  error: WarrenError,
  said: readonly string[],
  makeContext: () => Context | Promise<Context>,
): Promise<WarrenError> {
  const [{ mended }, look] = await Promise.all([
    import("./elsewhere/mended.ts"),
    openContext(makeContext).catch(() => undefined), // whatever it says is not the error to be told
  ]);
  return look ? mended(error, said, look) : error;
}

const OVERVIEW_FLAGS = ["--json", "--watch", "-w"];

/** No verb is `here`; `--version` and `--help` are verbs as well. */
function verbOf(argv: readonly string[]): [word: string, args: readonly string[]] {
  const [first, ...rest] = argv;
  if (first === undefined) return ["here", []];
  if (first === "--version" || first === "-V" || first === "-v") return ["version", rest];
  if (first === "--help" || first === "-h") return ["help", rest];
  // The overview is what no verb often means, so its flags need none either.
  if (OVERVIEW_FLAGS.includes(first)) return ["overview", argv];
  if (first.startsWith("-")) throw unknownFlag(first, "warren", [...OVERVIEW_FLAGS, "--on", "--version", "--help"]);
  return [first, rest];
}

async function openContext(makeContext: () => Context | Promise<Context>): Promise<Context> {
  try {
    return await makeContext();
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    throw new WarrenError("DIRECTORY_GONE", "The directory that you are in does not exist any more.", {
      fix: "cd ~",
      cause: error,
    });
  }
}

/** Read before anything else, so that a wrong command line is told in JSON too; a `--json` behind somebody else's command is not ours. */
function wantsJson([verb, ...args]: readonly string[]): boolean {
  const at = args.indexOf("--json");
  if (at === -1) return false;
  if (args.indexOf("--") !== -1 && args.indexOf("--") < at) return false;
  return !["add", "run", "create"].includes(verb ?? "") || args.slice(0, at).every((arg) => arg.startsWith("-"));
}
