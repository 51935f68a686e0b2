import type { Candidate, Introducing, IntroducingResult } from "../../client/remote/introducing.ts";
import type { MachineWord } from "../../client/remote/introductions.ts";
import { type Introduction, introduce } from "../../local/remote/introduce.ts";
import { EXIT } from "../../protocol/outcome.ts";
import type { RemoteDevice } from "../../protocol/remote-units.ts";
import { fromHex } from "../../sealing/bytes.ts";
import { fingerprintText } from "../../sealing/fingerprint.ts";
import { isLoopback } from "../../sealing/pairing-code.ts";
import type { Context } from "../context.ts";
import { openClient } from "../open-client.ts";
import { printable } from "../render/text-width.ts";
import { agrees } from "./ask.ts";
import { showCode, startCountdown } from "./code-shown.ts";
import { scopesText } from "./scopes-of.ts";

/** `warren pair --for MACHINE`: this home, a device of those machines, introduces another one to them by one code. Ctrl-C forgets it. */
export interface IntroduceFlow {
  machines: readonly string[];
  hub: string | undefined;
  scopes: RemoteDevice["scopes"];
  isYes: boolean;
  isJson: boolean;
}

export async function runIntroduction(context: Context, flow: IntroduceFlow): Promise<number> {
  const { output, places, build } = context;
  const over = new AbortController();
  const interrupted = context.interrupted();
  let countdown = { stop() {} };
  const introduction = await introduce({
    places,
    machines: flow.machines,
    hub: flow.hub,
    scopes: flow.scopes,
    clientOf: (link) => openClient(build, { dial: link.dialLines() }),
    events: {
      onMet(candidate) {
        countdown.stop();
        void decide(context, introduction.introducing, { candidate, flow, signal: over.signal });
      },
      onWord: (word) => sayWord(context, word, flow),
    },
  });
  const { introducing } = introduction;
  const onInterrupt = (): void => introducing.cancel();
  interrupted.addEventListener("abort", onInterrupt, { once: true });
  try {
    show(context, introduction, flow);
    countdown = startCountdown(context, { untilMs: introducing.expires * 1_000, isJson: flow.isJson });
    if (interrupted.aborted) introducing.cancel();
    return finish(context, await introducing.over, flow);
  } catch (error) {
    if (!interrupted.aborted) throw error;
    if (!flow.isJson) output.errorLine("The code is forgotten; nothing was kept");
    return EXIT.interrupted;
  } finally {
    over.abort();
    countdown.stop();
    interrupted.removeEventListener("abort", onInterrupt);
    introduction.close();
  }
}

function show(context: Context, { introducing, hub, machines }: Introduction, { scopes, isJson }: IntroduceFlow): void {
  const { output } = context;
  const { code, expires } = introducing;
  const names = machines.map(({ name }) => name);
  if (isJson)
    return tell(context, "code", {
      code: code.warren,
      link: code.link,
      expires_at: new Date(expires * 1_000).toISOString(),
      hub: hub.label,
      machines: names,
    });
  const { style } = output;
  const bold = names.map((name) => style.bold(printable(name))).join(", ");
  output.line(`For ${bold}, with ${scopesText(scopes)}, through the hub ${printable(hub.label)}`);
  showCode(context, {
    link: code.link,
    qr: code.qr,
    fingerprint: fingerprintText(fromHex(hub.fingerprint)!),
    isLocal: isLoopback(new URL(hub.addresses[0]!).hostname),
  });
}

async function decide(
  context: Context,
  introducing: Introducing,
  { candidate, flow, signal }: { candidate: Candidate; flow: IntroduceFlow; signal: AbortSignal },
): Promise<void> {
  const { output } = context;
  const { name, platform, check } = candidate;
  if (flow.isJson) tell(context, "met", { candidate: { name, platform, check } });
  else
    output.line(
      `${output.style.bold(printable(name))} (${printable(platform)}) wants to join with ${scopesText(flow.scopes)}. Its check is ${output.style.bold(check)}.`,
    );
  const isIn = flow.isYes || (await agrees("The same there? [y/N] ", signal));
  if (signal.aborted) return;
  if (isIn) introducing.confirm();
  else introducing.cancel();
}

function sayWord(context: Context, word: MachineWord, { isJson }: IntroduceFlow): void {
  const { output } = context;
  const { machine, name } = word;
  const facts = word.kind === "joined" ? { device: word.device } : { code: word.code, error: word.sentence };
  if (isJson) tell(context, word.kind, { machine: name, id: machine, ...facts });
  else if (word.kind === "left")
    output.line(`${output.style.bold(printable(name))} has not let it in: ${word.sentence}`);
}

/** `Pixel 9 joined laptop, desk`; not all of them is no success. */
function finish(context: Context, { candidate, joined, left }: IntroducingResult, { isJson }: IntroduceFlow): number {
  const { output } = context;
  const { style } = output;
  if (isJson)
    tell(context, "introduced", {
      joined: joined.map(({ machine, name, device }) => ({ machine: name, id: machine, device })),
      left: left.map(({ machine, name, code, sentence }) => ({ machine: name, id: machine, code, error: sentence })),
    });
  else
    output.line(
      `${style.bold(printable(candidate.name))} joined ${joined.map(({ name }) => style.bold(printable(name))).join(", ")}`,
    );
  return left.length === 0 ? EXIT.ok : EXIT.error;
}

const tell = ({ output }: Context, event: string, facts: object): void =>
  void output.bytes("stdout", `${JSON.stringify({ event, ...facts })}\n`);
