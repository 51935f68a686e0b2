import type { PairingCard, PairState } from "../../client/remote/pair.ts";
import { joinByCode } from "../../local/remote/join-by-code.ts";
import { formatDuration } from "../../protocol/durations.ts";
import { EXIT } from "../../protocol/outcome.ts";
import type { RemoteDevice } from "../../protocol/remote-units.ts";
import { fingerprintText } from "../../sealing/fingerprint.ts";
import type { Context } from "../context.ts";
import { agrees } from "../remote/ask.ts";
import { scopesText } from "../remote/scopes-of.ts";
import { hintLines } from "../render/hints.ts";
import { printable } from "../render/text-width.ts";
import { usageError } from "../usage-error.ts";

/** `warren pair CODE`: this machine becomes a device of the one that shows the code. Ctrl-C, and a no, leave no trace. */
export interface JoinFlow {
  code: string;
  /** Asks nothing. */
  isYes: boolean;
  isJson: boolean;
}

export async function joinMachine(context: Context, { code, isYes, isJson }: JoinFlow): Promise<number> {
  const { output, places } = context;
  const asks = !isJson && output.isTerminal && process.stdin.isTTY === true;
  if (!asks && !isYes)
    throw usageError("Without a terminal nobody can be asked whether to connect.", "warren pair CODE --yes");
  const signal = context.interrupted();
  const joined = await joinByCode({
    places,
    code,
    signal,
    onCard: async (card) => {
      if (!isJson) for (const line of cardLines(context, card)) output.line(line);
      return isYes || agrees("Connect? Nothing was sent yet. [y/N] ", signal);
    },
    onState: (state) => say(context, state, isJson),
  });
  if (!joined) {
    output.errorLine("Nothing was sent, and nothing was kept");
    return signal.aborted ? EXIT.interrupted : EXIT.error;
  }
  const { machine, hub } = joined;
  if (isJson) output.json({ machine: machine.name, id: machine.id, hub: hub.label, scopes: machine.scopes });
  else sayJoined(context, machine.name, machine.words);
  return EXIT.ok;
}

function cardLines({ output, nowMs }: Context, { code, knownAs }: PairingCard): string[] {
  const { style } = output;
  const hub = new URL(code.address).host;
  const leftMs = Math.max(0, Math.round(code.expires - nowMs() / 1_000)) * 1_000;
  return [
    knownAs === undefined
      ? `Through a hub that is new here: ${style.bold(hub)}`
      : `Through the hub ${style.bold(printable(knownAs))} at ${hub}`,
    `  fingerprint  ${fingerprintText(code.hub)}`,
    `  would allow  ${scopesText([...code.scopes] as RemoteDevice["scopes"])}`,
    `  the code ends in ${formatDuration(leftMs)}`,
  ];
}

function say({ output }: Context, state: PairState, isJson: boolean): void {
  if (state.kind !== "shown") return;
  const { offer, check } = state;
  if (isJson) {
    const shown = { event: "shown", machine: offer.name, words: offer.words, check };
    void output.bytes("stdout", `${JSON.stringify(shown)}\n`);
    return;
  }
  output.line(`${output.style.bold(printable(offer.name))} (${printable(offer.words)}) is there.`);
  output.line(`The check is ${output.style.bold(check)}. If it says the same, say yes there.`);
}

function sayJoined({ output }: Context, name: string, words: string): void {
  output.line(`Joined ${output.style.bold(printable(name))} (${printable(words)})`);
  const word = /^[\w.-]+$/.test(name) ? name : JSON.stringify(name);
  for (const line of hintLines(output, [
    [`warren --on ${word} list`, "what runs there"],
    [`warren --on ${word} sessions`, "who works there"],
  ]))
    output.line(line);
}
