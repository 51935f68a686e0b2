import { hostname } from "node:os";
import type { Client } from "../../client/client.ts";
import type { SubscriptionItem } from "../../client/subscription.ts";
import { WarrenError } from "../../protocol/errors.ts";
import type { DataOf } from "../../protocol/messages.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import type {
  PairingEnding,
  RemoteCandidate,
  RemoteDevice,
  RemoteEvents,
  RemoteEventType,
} from "../../protocol/remote-units.ts";
import type { Context } from "../context.ts";
import { hintLines } from "../render/hints.ts";
import { serverTitle } from "../render/server-title.ts";
import { printable } from "../render/text-width.ts";
import { agrees } from "./ask.ts";
import { showCode, startCountdown } from "./code-shown.ts";
import { scopesText } from "./scopes-of.ts";

/** From the code to the device that is in: shows it, says who wants to join, asks, and says how it ended. Ctrl-C forgets the code. */
export interface PairFlow {
  hub: string;
  scopes: RemoteDevice["scopes"];
  /** Lets in whoever comes with the code. */
  isYes: boolean;
  /** A line of JSON for each thing that happens. */
  isJson: boolean;
}

type Made = DataOf<"remote.pair">;

export async function runPairing(context: Context, client: Client, flow: PairFlow): Promise<number> {
  const interrupted = context.interrupted();
  const stop = new AbortController();
  interrupted.addEventListener("abort", () => stop.abort(), { once: true });
  const items = client.subscribe({ streams: ["remote"] }, stop.signal);
  await items.next(); // its snapshot: from here on nothing is missed
  const made = await client.request("remote.pair", { hub: flow.hub, scopes: flow.scopes });
  const { pairing } = made.pairing;
  show(context, made, flow);
  const untilMs = Date.parse(made.pairing.expires_at);
  const countdown = startCountdown(context, { untilMs, isJson: flow.isJson });
  try {
    const end = await followed(context, client, { items, flow, pairing, countdown });
    if (end) return finish(context, client, end, flow);
  } finally {
    countdown.stop();
  }
  await client.request("remote.cancel", { pairing }).catch(() => {}); // it goes with the connection too
  if (!flow.isJson) context.output.errorLine("The code is forgotten; nothing was kept");
  return EXIT.interrupted;
}

interface Following {
  items: AsyncIterableIterator<SubscriptionItem>;
  flow: PairFlow;
  pairing: string;
  countdown: { stop(): void };
}

/** The device that is in; undefined when Ctrl-C came first. @throws how else it ended */
async function followed(
  context: Context,
  client: Client,
  { items, flow, pairing, countdown }: Following,
): Promise<RemoteDevice | undefined> {
  const over = new AbortController();
  let deciding: Promise<unknown> = Promise.resolve();
  let isRefused = false;
  for await (const item of items) {
    if (item.kind === "snapshot") throw lost(); // another server: the code went with the one before
    const told = concerning(item.event.event, item.event.data, pairing);
    if (!told) continue;
    if (flow.isJson) void context.output.bytes("stdout", `${JSON.stringify({ event: told.type, ...told.data })}\n`);
    if (told.type === "met") {
      countdown.stop();
      deciding = decide(context, client, { ...told.data, flow, signal: over.signal }).then((isIn) => {
        isRefused = !isIn;
      });
      deciding.catch(() => {}); // how it ended is told by the stream
    } else {
      over.abort();
      await deciding.catch(() => {});
      if (told.type === "joined") return told.data.device;
      throw ended(told.data.how, isRefused);
    }
  }
  over.abort();
  return undefined;
}

type Told = { [T in "met" | "joined" | "pairing_ended"]: { type: T; data: RemoteEvents[T] } }[
  | "met"
  | "joined"
  | "pairing_ended"];

/** What concerns this pairing. */
function concerning(type: string, data: Record<string, unknown>, pairing: string): Told | undefined {
  const isOurs = ["met", "joined", "pairing_ended"].includes(type as RemoteEventType) && data.pairing === pairing;
  return isOurs ? ({ type, data } as Told) : undefined;
}

/** Whether it was let in. */
async function decide(
  context: Context,
  client: Client,
  {
    pairing,
    candidate,
    flow,
    signal,
  }: { pairing: string; candidate: RemoteCandidate; flow: PairFlow; signal: AbortSignal },
): Promise<boolean> {
  const { output } = context;
  const name = output.style.bold(printable(candidate.name));
  const known = candidate.known_as === undefined ? "" : `, here already as ${printable(candidate.known_as)},`;
  const sentence = `${name} (${printable(candidate.platform)})${known} wants to join with ${scopesText(flow.scopes)}. Its check is ${output.style.bold(candidate.check)}.`;
  if (!flow.isJson) output.line(sentence);
  const isIn = flow.isYes || (await agrees("The same there? [y/N] ", signal));
  if (signal.aborted) return isIn;
  await client.request(isIn ? "remote.confirm" : "remote.cancel", { pairing });
  return isIn;
}

function show(context: Context, made: Made, { isJson }: PairFlow): void {
  const { output } = context;
  const { code, link, qr, hub, pairing, is_local } = made;
  if (isJson) {
    const facts = {
      event: "code",
      pairing: pairing.pairing,
      code,
      link,
      expires_at: pairing.expires_at,
      hub: hub.label,
    };
    void output.bytes("stdout", `${JSON.stringify(facts)}\n`);
    return;
  }
  showCode(context, { link, qr, fingerprint: hub.fingerprint, isLocal: is_local });
}

/** `Pixel 9 joined 🔥 blazing@laptop`. */
async function finish(context: Context, client: Client, device: RemoteDevice, { isJson }: PairFlow): Promise<number> {
  const { output } = context;
  if (isJson) return EXIT.ok;
  const { server, icon } = await client.request("status", {});
  output.line(
    `${output.style.bold(printable(device.name))} joined ${serverTitle(output, { icon, name: server })}@${hostname()}`,
  );
  for (const line of hintLines(output, [
    ["warren devices", "shows who may come in"],
    [`warren devices revoke ${quoteWord(printable(device.name))}`, "cuts it off"],
  ]))
    output.line(line);
  return EXIT.ok;
}

const ENDINGS: Readonly<Record<PairingEnding, [code: string, sentence: string]>> = {
  refused: ["PAIRING_REFUSED", "The device was refused. Nothing was kept."],
  expired: ["PAIRING_EXPIRED", "Nobody came in time: the code is of no use any more. Nothing was kept."],
  cancelled: ["PAIRING_CANCELLED", "The pairing was cancelled. Nothing was kept."],
  left: ["PAIRING_LEFT", "The device went away before it was let in. Nothing was kept."],
  failed: ["PAIRING_FAILED", "The device could not be let in. Nothing was kept."],
};

function ended(how: PairingEnding, isRefused: boolean): WarrenError {
  const [code, sentence] = ENDINGS[isRefused ? "refused" : how];
  return new WarrenError(code, sentence, { fix: "warren pair      # shows a new code" });
}

const lost = (): WarrenError =>
  new WarrenError("PAIRING_CANCELLED", "The server was replaced, and the code went with it. Nothing was kept.", {
    fix: "warren pair      # shows a new code",
  });
