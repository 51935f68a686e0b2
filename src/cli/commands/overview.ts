import { isWarrenError } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION, NO_OPERANDS } from "../command.ts";
import type { Context } from "../context.ts";
import { cardLines, hintsFor, pathHint } from "../overview/card.ts";
import { Looker, type Seen } from "../overview/look.ts";
import { addressLines, mailLines, tourHints } from "../overview/tour.ts";
import { hintLines } from "../render/hints.ts";

export const overview = defineCommand({
  usage: ["overview [--watch] [--tour] [--json]", ""],
  details:
    "What runs, in a card; also what warren shows alone. Starts nothing; --watch starts the server that it looks at.",
  examples: [
    { command: "warren", does: "what runs here and what to type next" },
    { command: "warren overview --json", does: "the same for a program" },
  ],
  options: {
    watch: { type: "boolean", short: "w", description: "stay, and draw it again when something changes" },
    tour: { type: "boolean", description: "with things to try" },
    json: JSON_OPTION,
  },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    const { output, build } = context;
    const isTour = values.tour === true;
    if (values.watch && output.isTerminal && !values.json) return watchCard(context, isTour);
    const seen = await new Looker(context, { isTour }).look();
    if (values.json)
      output.json({
        version: build.version,
        git_hash: build.hash,
        server: seen?.server ?? null,
        jobs: seen?.jobs ?? [],
        sessions: seen?.sessions ?? [],
      });
    else output.line(textOf(context, seen));
    return EXIT.ok;
  },
});

function textOf(context: Context, seen: Seen | undefined): string {
  const { output } = context;
  const tour = seen?.tour ? [...mailLines(context, seen), ...addressLines(seen)] : [];
  const hints = seen?.tour ? tourHints(seen) : hintsFor(seen);
  // That this shell finds warren comes before what to type, and takes the place of none of it.
  const path = hintLines(output, pathHint(context));
  return [...cardLines(context, seen), ...tour, ...path, ...hintLines(output, hints)].join("\n");
}

/** Ages move on: looked at this seldom, and drawn only when a word has changed. */
const AGE_LOOK_MS = 10_000;
/** Of what sessions of other servers do, no event comes. */
const SESSION_LOOK_MS = 1_000;
const STREAMS = ["jobs", "sessions", "gateway"];
/** Changes that come together are drawn together. */
const GATHER_MS = 50;
/** Up `n` lines, then clear to the end of the screen (ECMA-48 CPL, ED). */
const backOver = (lineCount: number): string => `\x1b[${lineCount}F\x1b[J`;

/**
 * Draws the card again whenever a unit changes, also after the server was replaced or killed. Ctrl-C ends the view alone. A view that
 * was left open does not bring back a server that shutdown or nuke has ended: it ends too.
 */
async function watchCard(context: Context, isTour: boolean): Promise<number> {
  const { output } = context;
  const interrupted = context.interrupted();
  await context.client().request("ping", {}); // from here on a server is only found
  const looker = new Looker(context, { isTour });
  let drawn = "";
  let timer: NodeJS.Timeout | undefined;
  const draw = async (): Promise<void> => {
    const seen = await looker.look();
    const text = `${textOf(context, seen)}\n`;
    if (interrupted.aborted) return;
    clearTimeout(timer);
    timer = setTimeout(() => void draw().catch(() => {}), seen?.hasSessionsElsewhere ? SESSION_LOOK_MS : AGE_LOOK_MS);
    if (text === drawn) return;
    const before = drawn;
    drawn = text;
    await output.bytes("stdout", (before ? backOver(before.split("\n").length - 1) : "") + text);
  };
  await draw();
  let gathering: NodeJS.Timeout | undefined;
  try {
    for await (const _ of context.ownClient("find").subscribe({ streams: STREAMS }, interrupted)) {
      clearTimeout(gathering);
      gathering = setTimeout(() => void draw().catch(() => {}), GATHER_MS);
    }
  } catch (error) {
    if (!isWarrenError(error, "NO_SERVER")) throw error;
    output.line(output.style.dim("The server was ended, and this view with it."));
    return EXIT.ok;
  } finally {
    clearTimeout(timer);
    clearTimeout(gathering);
  }
  await output.bytes("stdout", "\r\x1b[K"); // over the terminal's ^C
  output.line(output.style.dim("All of it goes on. Come back: warren · stop it: warren down, warren nuke"));
  return EXIT.ok;
}
