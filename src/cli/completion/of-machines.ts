import { findVerb } from "../verbs.ts";
import { type Candidate, type Completion, complete, type Live } from "./candidates.ts";

/** Completion where other machines come in: `--on lap`, what is behind it, and `web@lap`. */
export interface Machines {
  names(): readonly string[];
  /** What is alive there. */
  liveOn(name: string): Promise<Live>;
}

const FLAGS: readonly Candidate[] = [
  { text: "--on", description: "ask another machine" },
  { text: "--version", description: "the version and the build" },
  { text: "--help", description: "every command in a line" },
];

/** @param words those behind `warren`, the last one being completed, perhaps empty */
export async function completeAny(words: readonly string[], live: Live, machines: Machines): Promise<Completion> {
  const [first = "", second, ...rest] = words;
  if (words.length === 1 && first.startsWith("-")) {
    const named = machines.names().map((name) => ({ text: `--on=${name}`, description: "machine" }));
    return matching(first, first.startsWith("--on=") ? named : FLAGS);
  }
  if (first === "--on" && words.length === 2) return matching(second ?? "", machineCandidates(machines));
  if (first === "--on") return onMachine(rest, await machines.liveOn(second!));
  if (first.startsWith("--on=")) return onMachine(words.slice(1), await machines.liveOn(first.slice("--on=".length)));
  return atMachine(words, machines) ?? complete(words, live);
}

/** Verbs that mean nothing there are not offered. */
async function onMachine(words: readonly string[], live: Live): Promise<Completion> {
  const completion = await complete(words, live);
  if (words.length > 1 || completion.kind !== "candidates") return completion;
  return { kind: "candidates", candidates: completion.candidates.filter(({ text }) => findVerb(text)?.on === "there") };
}

/** Behind the @ of a unit; bash hands the three parts over as words of their own, and puts the last one in place. */
function atMachine(words: readonly string[], machines: Machines): Completion | undefined {
  const [verb = "", ...behind] = words;
  if (verb === "mail" || findVerb(verb)?.on !== "there") return undefined;
  const current = behind.at(-1) ?? "";
  if (behind.at(-2) === "@") return matching(current, machineCandidates(machines));
  if (current === "@") return { kind: "candidates", candidates: machineCandidates(machines) };
  const at = current.lastIndexOf("@");
  if (at <= 0) return undefined;
  const unit = current.slice(0, at);
  return matching(
    current,
    machineCandidates(machines).map(({ text, description }) => ({ text: `${unit}@${text}`, description })),
  );
}

const machineCandidates = (machines: Machines): Candidate[] =>
  machines.names().map((text) => ({ text, description: "machine" }));

const matching = (current: string, candidates: readonly Candidate[]): Completion => ({
  kind: "candidates",
  candidates: candidates.filter(({ text }) => text.startsWith(current)),
});
