import type { PairingCard, PairState } from "../../client/remote/pair.ts";
import { joinByCode } from "../../local/remote/join-by-code.ts";
import { formatDuration } from "../../protocol/durations.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import type { RemoteDevice } from "../../protocol/remote-units.ts";
import { toHex } from "../../sealing/bytes.ts";
import { fingerprintText } from "../../sealing/fingerprint.ts";
import type { Introducer } from "../../sealing/introducing.ts";
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
  const signal = context.interrupted();
  const joined = await joinByCode({
    places,
    code,
    signal,
    onCard: async (card) => {
      if (!asks && !isYes)
        throw usageError("Without a terminal nobody can be asked whether to connect.", "warren pair CODE --yes");
      if (!isJson) for (const line of cardLines(context, card)) output.line(line);
      return isYes || agrees("Connect? Nothing was sent yet. [y/N] ", signal);
    },
    onState: (state) => say(context, state, isJson),
    onIntroduced: async (introducer) => {
      if (isJson) tell(context, { event: "introduced", ...factsOf(introducer) });
      else for (const line of introducerLines(context, introducer)) output.line(line);
      return isYes || agrees("Join them? Nothing of this machine was said yet. [y/N] ", signal);
    },
  });
  if (!joined) {
    output.errorLine("Nothing of this machine was said, and nothing was kept");
    return signal.aborted ? EXIT.interrupted : EXIT.error;
  }
  const { machine, machines, left, hub } = joined;
  if (isJson) {
    const first = { machine: machine.name, id: machine.id, hub: hub.label, scopes: machine.scopes };
    const all = machines.map(({ name, id, scopes }) => ({ machine: name, id, scopes }));
    output.json(machines.length + left.length > 1 ? { ...first, machines: all, left } : first);
  } else {
    for (const { name, sentence } of left) output.line(`${printable(name)} has not let this one in: ${sentence}`);
    for (const { name, words } of machines)
      output.line(`Joined ${output.style.bold(printable(name))} (${printable(words)})`);
    sayNext(context, machine.name);
  }
  return EXIT.ok;
}

const factsOf = ({ name, machines }: Introducer) => ({
  by: name,
  machines: machines.map((machine) => ({ machine: machine.name, words: machine.words, id: toHex(machine.signingKey) })),
});

/** Nothing but the word of the device that introduces says which machines these are. */
const introducerLines = ({ output }: Context, { name, machines }: Introducer): string[] => [
  `${output.style.bold(printable(name))} introduces this machine to:`,
  ...machines.map((one) => `  ${output.style.bold(printable(one.name))} (${printable(one.words)})`),
  output.style.dim(`  That these are the machines called so is ${printable(name)}'s word.`),
];

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

function say(context: Context, state: PairState, isJson: boolean): void {
  if (state.kind !== "shown" && state.kind !== "awaiting") return;
  const { output } = context;
  const { check } = state;
  if (isJson) {
    const end =
      state.kind === "shown" ? { machine: state.offer.name, words: state.offer.words } : { by: state.introducer.name };
    return tell(context, { event: "shown", ...end, check });
  }
  if (state.kind === "shown")
    output.line(`${output.style.bold(printable(state.offer.name))} (${printable(state.offer.words)}) is there.`);
  output.line(`The check is ${output.style.bold(check)}. If it says the same, say yes there.`);
}

const tell = ({ output }: Context, facts: object): void => void output.bytes("stdout", `${JSON.stringify(facts)}\n`);

function sayNext({ output }: Context, name: string): void {
  const word = quoteWord(name);
  for (const line of hintLines(output, [
    [`warren --on ${word} list`, "what runs there"],
    [`warren --on ${word} sessions`, "who works there"],
  ]))
    output.line(line);
}
