import { appendFileSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { Client } from "../client/client.ts";
import { projectOf } from "../config/project-of.ts";
import { lookForSession } from "../local/find-session.ts";
import { keyFileOf, keyOf } from "../local/mail-keys.ts";
import { dialMailbox } from "../local/mail-link.ts";
import { thisBuild } from "../platform/build.ts";
import { homeDigest } from "../platform/paths.ts";
import { isWarrenError, messageOf, WarrenError } from "../protocol/errors.ts";
import type { Participant } from "../protocol/mail-units.ts";
import { quoteWord } from "../protocol/quote-word.ts";
import { isRunning, isSame } from "./agent-process.ts";
import { type KnownAgent, knownAgent, knownSessions } from "./agent-record.ts";
import { Gives } from "./gives.ts";
import type { HookInput } from "./hook-input.ts";
import type { HookSession, SessionRecord } from "./hook-session.ts";
import type { HookWorld } from "./world.ts";

/**
 * An agent's session takes its name: that of the session of Warren's in which it runs, else `$WARREN_MAIL_NAME`, else the one that it had, else one that is made
 * of its project and its id. The same session resumed, compacted or cleared has the same name, and so the same mail.
 */
export interface Introduced {
  record: SessionRecord;
  others: Participant[];
}

const ANSWER_TIMEOUT_MS = 5_000;
const STEM_CHARACTERS = 20;
/** An agent keeps its own sessions for about as long. */
const FORGOTTEN_AFTER_MS = 30 * 24 * 3_600_000;

/** Undefined when Warren itself holds the agent. @throws what the mailbox refuses */
export async function introduce(
  input: HookInput,
  world: HookWorld,
  session: HookSession,
): Promise<Introduced | undefined> {
  const own = session.record();
  const cleared = own ? undefined : knownAgent(world.places, world.agent);
  const before = own ?? cleared?.record;
  const unit = unitOf(world);
  const base: SessionRecord = {
    format: 1,
    name: unit?.name ?? before?.name ?? "",
    client_id: before?.client_id ?? world.randomId(),
    ...(world.agent === undefined ? {} : { agent: world.agent }),
  };
  const remember = (record: SessionRecord): void => {
    session.remember(record);
    if (cleared) takeOver(cleared, session);
  };
  if (unit?.isAgent) {
    remember({ ...base, stands_down: true });
    return undefined;
  }
  const client = clientOf(world, base.client_id);
  try {
    const record = unit ? { ...base, is_in_env: true as const } : await named(client, { input, world, base, before });
    remember(record);
    await returnUnread(client, { record, world, session });
    const { participants } = await client.request("mail.list", {}, { timeoutMs: ANSWER_TIMEOUT_MS });
    const others = participants.filter(({ name, presence }) => name !== record.name && presence !== "gone");
    return { record: told(record, world, session), others };
  } finally {
    client.close();
  }
}

function clientOf({ places, env, randomId }: HookWorld, clientId: string): Client {
  const build = thisBuild();
  return new Client({
    dial: dialMailbox({ places, build, env, mode: "start", clientId }),
    name: "warren-hook",
    version: build.version,
    randomId,
  });
}

function unitOf({ env, places }: HookWorld): { name: string; isAgent: boolean } | undefined {
  const id = env.WARREN_SESSION;
  if (!id) return undefined;
  const found = lookForSession(places, id);
  const name = found?.name ?? env.WARREN_UNIT;
  return name ? { name, isAgent: found?.kind === "agent" } : undefined;
}

/** The session that the same process had before, which its user has cleared, is this one now. Only once this one is remembered: until then that has the name. */
function takeOver({ session: before }: KnownAgent, session: HookSession): void {
  const [from, to] = [new Gives(before.dir), new Gives(session.dir)];
  for (const give of from.all()) to.keep(give);
  rmSync(before.dir, { recursive: true, force: true });
}

interface Naming {
  input: HookInput;
  world: HookWorld;
  base: SessionRecord;
  before: SessionRecord | undefined;
}

/** Takes a name that belongs to a key, and says whose process has it. */
async function named(client: Client, { input, world, base, before }: Naming): Promise<SessionRecord> {
  const { env, places, agent, log } = world;
  const cwd = env.CLAUDE_PROJECT_DIR || input.cwd || process.cwd();
  const project = before?.project ?? projectOf(cwd) ?? cwd;
  const take = async (name: string, keyFile: string | undefined): Promise<SessionRecord> => {
    const key = keyFile === undefined ? (await keyOf(places, project, name)).key : await readKey(keyFile);
    const process = agent === undefined ? {} : { pid: agent.pid, pid_start: agent.start };
    await client.request("mail.register", { name, key, ...process }, { timeoutMs: ANSWER_TIMEOUT_MS });
    return { ...base, name, project, key_file: keyFile ?? keyFileOf(places, project, name) };
  };
  const given = env.WARREN_MAIL_NAME;
  if (given) {
    const file = env.WARREN_MAIL_KEY_FILE;
    try {
      return await take(given, file ? resolve(cwd, file) : undefined);
    } catch (error) {
      if (!isTaken(error)) throw error;
      log.warn("name_taken", { name: given, error: messageOf(error) });
    }
  }
  if (before && before.name !== given && before.key_file) return take(before.name, before.key_file);
  return take(madeName(project, input.sessionId), undefined);
}

/** Of project and session: two sessions of one project have two. */
function madeName(project: string, sessionId: string): string {
  const stem = basename(project)
    .replace(/[^A-Za-z0-9_-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return `${stem.slice(0, STEM_CHARACTERS) || "agent"}-${homeDigest(sessionId)}`;
}

const isTaken = (error: unknown): boolean =>
  ["NAME_OWNED", "NAME_TAKEN", "INVALID_NAME", "NAME_RESERVED"].some((code) => isWarrenError(error, code));

async function readKey(file: string): Promise<string> {
  const key = (await readFile(file, "utf8")).trim();
  if (key === "")
    throw new WarrenError("KEY_FILE_UNREADABLE", `The key file ${file} is empty.`, { fix: `rm ${quoteWord(file)}` });
  return key;
}

/**
 * What this name was given and nobody came back for, since the agent died: it is offered again at once. And what is remembered of sessions that are over for long
 * is forgotten; their keys stay.
 */
async function returnUnread(
  client: Client,
  { record, world, session }: { record: SessionRecord; world: HookWorld; session: HookSession },
): Promise<void> {
  const { places, agent, nowMs } = world;
  for (const one of knownSessions(places)) {
    const isOwn = one.dir === session.dir;
    const { name, agent: its } = one.record() ?? {};
    if (!isOwn && its !== undefined && isRunning(its)) continue;
    if (name === record.name) {
      const gives = new Gives(one.dir);
      const ofTheDead = gives.all().filter((give) => give.state === "given" && !(isOwn && isSame(give.agent, agent)));
      const ids = ofTheDead.flatMap((give) => give.ids);
      if (ids.length > 0) await client.request("mail.nak", { as: record.name, ids, reason: "its reader has ended" });
      for (const give of ofTheDead) gives.forget(give);
    }
    if (!isOwn && nowMs() - one.changedMs() > FORGOTTEN_AFTER_MS) rmSync(one.dir, { recursive: true, force: true });
  }
}

/** The agent's own commands get it from their environment, where the agent offers that. */
function told(record: SessionRecord, { env, log }: HookWorld, session: HookSession): SessionRecord {
  const file = env.CLAUDE_ENV_FILE;
  if (!file || record.key_file === undefined) return record;
  const variables = { WARREN_MAIL_NAME: record.name, WARREN_MAIL_KEY_FILE: record.key_file };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${quoteWord(value)}\n`);
  try {
    appendFileSync(file, lines.join(""));
  } catch (error) {
    log.warn("environment_not_told", { file, error: messageOf(error) });
    return record;
  }
  const now = { ...record, is_in_env: true as const };
  session.remember(now);
  return now;
}
