import { constants } from "node:os";
import type { Worker } from "../../protocol/gateway-units.ts";
import type { Job } from "../../protocol/units.ts";
import type { AnyCommand, OperandKind, OptionSpec } from "../command.ts";
import type { Topic } from "../topics.ts";
import { UNIT_VERBS, type UnitKind, type UnitVerb, WORKS } from "../unit-verbs.ts";
import { findVerb, VERBS } from "../verbs.ts";

/** What may stand where the cursor is. */
export interface Candidate {
  text: string;
  description: string;
}
export type Completion = { kind: "candidates"; candidates: Candidate[] } | { kind: "files" } | { kind: "commands" };

/** What is alive, asked for only when it is needed. */
export interface Live {
  jobs(): Promise<readonly Job[]>;
  /** Of the projects that are up; those of this project first. */
  workers(): Promise<readonly Worker[]>;
  serverNames(): readonly string[];
  /** Of the live ones. */
  sessionNames(): readonly string[] | Promise<readonly string[]>;
  savedSessionNames(): Promise<readonly string[]>;
  projectJobNames(): Promise<readonly string[]>;
  /** Of the mailbox. */
  participantNames(): Promise<readonly string[]>;
}

/** @param words those behind `warren`, the last one being completed, perhaps empty */
export async function complete(words: readonly string[], live: Live): Promise<Completion> {
  const current = words.at(-1) ?? "";
  const [verbName = ""] = words;
  if (words.length <= 1) return matching(current, verbCandidates());
  const command = await findVerb(verbName)?.load();
  if (!command) return matching(current, []);
  if (!command.topics) return argument(command, verbName, words.slice(1), live);
  if (words.length > 2) return ofTopic(command.topics, verbName, words.slice(1), live);
  return matching(current, [
    ...command.topics.map(({ name, summary }) => ({ text: name, description: summary })),
    ...(current.startsWith("-") ? flagsOf(command) : []),
  ]);
}

/** Behind a verb that has parts, each part is a command. */
async function ofTopic(
  topics: readonly Topic[],
  verb: string,
  [word, ...words]: readonly string[],
  live: Live,
): Promise<Completion> {
  const command = await topics.find(({ name }) => name === word)?.load();
  return command ? argument(command, `${verb} ${word}`, words, live) : matching("", []);
}

/** @param words those behind the command */
async function argument(
  command: AnyCommand,
  verbName: string,
  words: readonly string[],
  live: Live,
): Promise<Completion> {
  const current = words.at(-1) ?? "";
  const state = readWords(command, words.slice(0, -1));
  if (state.kind === "command") return { kind: state.count === 0 && !current.startsWith("-") ? "commands" : "files" };
  if (state.kind === "value") return valuesFor(state.name, state.option, current, live);
  if (current.startsWith("-") && !state.onlyOperands) return matching(current, flagsOf(command));
  if (command.takesCommand) return { kind: "commands" };
  const { kinds, max = kinds.length } = command.operands;
  if (state.operandCount >= max) return matching(current, []);
  return operandOf(kinds[Math.min(state.operandCount, kinds.length - 1)], command, verbName, current, live);
}

type State =
  | { kind: "operand"; operandCount: number; onlyOperands: boolean }
  | { kind: "value"; name: string; option: OptionSpec }
  /** Inside somebody else's command line. */
  | { kind: "command"; count: number };

function readWords(command: AnyCommand, words: readonly string[]): State {
  let operandCount = 0;
  let onlyOperands = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (onlyOperands || !word.startsWith("-") || word === "-") {
      if (command.takesCommand) return { kind: "command", count: words.length - at };
      operandCount++;
    } else if (word === "--") {
      if (command.takesCommand) return { kind: "command", count: words.length - at - 1 };
      onlyOperands = true;
    } else {
      const found = optionOf(command, word);
      if (!found || found.option.type === "boolean" || found.option.optional !== undefined || word.includes("="))
        continue;
      at++;
      if (at === words.length) return { kind: "value", ...found };
    }
  }
  return { kind: "operand", operandCount, onlyOperands };
}

function optionOf({ options }: AnyCommand, word: string): { name: string; option: OptionSpec } | undefined {
  const long = word.startsWith("--") ? word.slice(2).split("=")[0]! : undefined;
  const found = Object.entries(options).find(([name, { short }]) =>
    long === undefined ? short === word.slice(1) : name === long,
  );
  return found && { name: found[0], option: found[1] };
}

async function valuesFor(name: string, option: OptionSpec, current: string, live: Live): Promise<Completion> {
  if (option.choices)
    return matching(
      current,
      option.choices.map((text) => ({ text, description: "" })),
    );
  if (name === "as" || name === "from" || name === "with")
    return matching(current, wordsOf(await live.participantNames(), "participant"));
  if (name === "key-file") return { kind: "files" };
  if (name === "depends-on") return matching(current, unitCandidates(await live.jobs()));
  if (name === "stop-signal") return matching(current, signalCandidates());
  if (name === "restart")
    return matching(
      current,
      ["no", "on-failure", "always"].map((text) => ({ text, description: "" })),
    );
  if (name === "for") return matching(current, [...CONDITIONS, ...WORKER_CONDITIONS]);
  if (name === "ready" || name === "wait-for") return matching(current, CONDITIONS);
  return name === "dir" ? { kind: "files" } : matching(current, []);
}

async function operandOf(
  kind: OperandKind | undefined,
  command: AnyCommand,
  verb: string,
  current: string,
  live: Live,
): Promise<Completion> {
  switch (kind) {
    case "unit": {
      if (verb === "gateway") return matching(current, workerCandidates(await live.workers()));
      const [jobs, workers] = await Promise.all([live.jobs(), takes(verb, "worker") ? live.workers() : []]);
      const sessions =
        takes(verb, "session") && !FOR_ENDED.has(verb) ? wordsOf(await live.sessionNames(), "session") : [];
      const units = [...unitCandidates(jobs.filter((job) => isFor(verb, job))), ...workerCandidates(workers)];
      return matching(current, [...units, ...sessions]);
    }
    case "session":
      return matching(current, wordsOf(await live.sessionNames(), "session"));
    case "participant":
      return matching(current, wordsOf(await live.participantNames(), "participant"));
    case "saved-session":
      return matching(current, wordsOf(await live.savedSessionNames(), "session"));
    case "run": {
      const jobs = await live.jobs();
      return matching(
        current,
        jobs.flatMap(({ run_id, ...job }) => (run_id ? [{ text: run_id, description: commandOf(job) }] : [])),
      );
    }
    case "verb":
      return matching(current, verbCandidates());
    case "signal":
      return matching(current, signalCandidates());
    case "server":
      return matching(
        current,
        [...live.serverNames(), ...(command.operands.choices ?? [])].map((text) => ({ text, description: "" })),
      );
    case "job-name":
      return matching(
        current,
        (await live.projectJobNames()).map((text) => ({ text, description: "" })),
      );
    case "choice":
      return matching(
        current,
        (command.operands.choices ?? []).map((text) => ({ text, description: "" })),
      );
    case "file":
      return { kind: "files" };
    default:
      return matching(current, []);
  }
}

/** What lives is not started, and removed only by force. */
const FOR_ENDED = new Set(["start", "remove"]);

const takes = (verb: string, kind: UnitKind): boolean =>
  Object.hasOwn(UNIT_VERBS, verb) && UNIT_VERBS[verb as UnitVerb][kind] === WORKS;

/** By its name where that is enough, else with the project before it. */
function workerCandidates(workers: readonly Worker[]): Candidate[] {
  const counts = Map.groupBy(workers, ({ name }) => name);
  return workers.map(({ name, id, state, route }) => ({
    text: counts.get(name)!.length > 1 ? (id ?? name) : name,
    description: `worker ${route} ${state}`,
  }));
}

const wordsOf = (texts: readonly string[], description: string): Candidate[] =>
  texts.map((text) => ({ text, description }));

/** What a verb can do nothing with is not offered. */
function isFor(verb: string, { status }: Job): boolean {
  if (["stop", "signal", "ports"].includes(verb)) return status === "running";
  return ["start", "remove"].includes(verb) ? status === "stopped" : true;
}

const CONDITIONS = [
  { text: "exit", description: "it ends" },
  { text: "port", description: "it listens" },
  { text: "port=", description: "it listens on that port" },
  { text: "log=", description: "its log has the text, or matches /RE/" },
  { text: "http=", description: "the address answers" },
  { text: "idle=", description: "it is silent for so long" },
];

const WORKER_CONDITIONS = [
  { text: "healthy", description: "of a worker: every instance answers" },
  { text: "served", description: "of a worker: what was saved last answers" },
  { text: "stopped", description: "of a worker: nothing of it runs" },
];

const commandOf = ({ command }: Pick<Job, "command">): string => command.join(" ");

const unitCandidates = (jobs: readonly Job[]): Candidate[] =>
  jobs.flatMap((job) =>
    [job.name, job.id].filter((text) => text !== undefined).map((text) => ({ text, description: commandOf(job) })),
  );

const verbCandidates = (): Candidate[] =>
  VERBS.filter(({ hidden }) => !hidden).map(({ name, summary }) => ({ text: name, description: summary }));

const signalCandidates = (): Candidate[] =>
  Object.entries(constants.signals).map(([name, number]) => ({
    text: name.replace(/^SIG/, ""),
    description: String(number),
  }));

const flagsOf = ({ options }: AnyCommand): Candidate[] => [
  ...Object.entries(options).map(([name, { description }]) => ({ text: `--${name}`, description })),
  { text: "--help", description: "show this help" },
];

const matching = (current: string, candidates: readonly Candidate[]): Completion => ({
  kind: "candidates",
  candidates: candidates.filter(({ text }) => text.startsWith(current)),
});
