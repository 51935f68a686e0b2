import { WarrenError } from "../protocol/errors.ts";

/**
 * Which verb takes which kind of unit (CONTRACT §1: every verb takes any name): it works, or it refuses with a sentence and with what to type instead.
 * `NAME` stands for the unit's name. A verb that names no unit is not in the table.
 */
export type UnitKind = "job" | "session" | "agent" | "worker";

export interface Refusal {
  /** Behind `NAME is a job: `. */
  why: string;
  /** Can be typed. */
  instead: string;
  /** Default: NOT_FOR_JOBS, NOT_FOR_SESSIONS, NOT_FOR_WORKERS. */
  code?: string;
}

export const WORKS = "works";
export type Takes = typeof WORKS | Refusal;

const no = (why: string, instead: string, code?: string): Refusal => ({
  why,
  instead: `warren ${instead}`,
  ...(code === undefined ? {} : { code }),
});

const ANY = { job: WORKS, session: WORKS, agent: WORKS, worker: WORKS } as const;

/** Of a session, whichever way it is used: a terminal or a conversation. */
const SESSIONS = (why: string, job: string, worker: string) =>
  ({ job: no(why, job), session: WORKS, agent: WORKS, worker: no(why, worker) }) as const;

const NO_TERMINAL = "it has logs, and no terminal";
const NO_KEYS = "nobody can type into it";
const AGENTS_ASK = "only agents ask and answer";
const NO_CONVERSATION = "it takes keys, not prompts";

/** The server knows best what a session is, and refuses with the same code. */
const AGENTS = {
  job: no(AGENTS_ASK, "logs -f NAME"),
  session: no(NO_CONVERSATION, "send NAME TEXT", "NOT_AN_AGENT"),
  agent: WORKS,
  worker: no(AGENTS_ASK, "why NAME"),
} as const;

const JOBS = (why: string, session: string, worker: string) =>
  ({ job: WORKS, session: no(why, session), agent: no(why, session), worker: no(why, worker) }) as const;

export const UNIT_VERBS = {
  logs: ANY,
  restart: ANY,
  start: ANY,
  stop: ANY,
  wait: ANY,
  why: ANY,
  await: { ...ANY, worker: no("it has no end of its own", "wait NAME --for healthy") },
  remove: { ...ANY, worker: no("it goes when its folder does", "stop NAME") },
  signal: { ...ANY, worker: no("its instances come and go", "restart NAME") },
  ports: {
    ...ANY,
    session: no("ports are those of jobs and workers", "list --all --kind session"),
    agent: no("ports are those of jobs and workers", "list --all --kind agent"),
  },
  runs: JOBS("only jobs have runs", "why NAME", "why NAME"),
  stats: JOBS("only jobs have runs", "why NAME", "why NAME"),
  stdout: JOBS("only jobs have two streams", "history NAME", "logs NAME"),
  stderr: JOBS("only jobs have two streams", "history NAME", "logs NAME"),
  attach: {
    job: no(NO_TERMINAL, "logs -f NAME", "NOT_A_TERMINAL"),
    session: WORKS,
    agent: WORKS,
    worker: no(NO_TERMINAL, "logs -f NAME", "NOT_A_TERMINAL"),
  },
  send: {
    job: no(NO_KEYS, "logs -f NAME", "NOT_A_TERMINAL"),
    session: WORKS,
    agent: no("it has a conversation, not a terminal", "prompt NAME TEXT", "NOT_A_TERMINAL"),
    worker: no(NO_KEYS, "logs -f NAME", "NOT_A_TERMINAL"),
  },
  history: SESSIONS("its output is in its logs", "logs NAME", "logs NAME"),
  export: SESSIONS("only what a terminal or a conversation shows can be recorded", "logs NAME", "logs NAME"),
  rename: SESSIONS("its name is its project's", "help add", "gateway status"),
  move: SESSIONS("the primary server has it", "reload", "reload"),
  resume: SESSIONS("only sessions are saved", "start NAME", "start NAME"),
  prompt: AGENTS,
  approve: AGENTS,
  deny: AGENTS,
  cancel: AGENTS,
  mode: AGENTS,
  login: AGENTS,
} as const satisfies Record<string, Record<UnitKind, Takes>>;

export type UnitVerb = keyof typeof UNIT_VERBS;

const CODES = {
  job: "NOT_FOR_JOBS",
  session: "NOT_FOR_SESSIONS",
  agent: "NOT_FOR_SESSIONS",
  worker: "NOT_FOR_WORKERS",
} as const;

/** Why `verb` does not take that unit; undefined where it does. */
export function refusalOf(verb: UnitVerb, kind: UnitKind, name: string): WarrenError | undefined {
  const takes: Takes = UNIT_VERBS[verb][kind];
  if (takes === WORKS) return undefined;
  const { why, instead, code = CODES[kind] } = takes;
  const article = kind === "agent" ? "an" : "a";
  return new WarrenError(code, `${name} is ${article} ${kind}: ${why}.`, { fix: instead.replaceAll("NAME", name) });
}
