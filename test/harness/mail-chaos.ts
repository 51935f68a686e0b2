import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Client } from "../../src/client/client.ts";
import { dialMailbox } from "../../src/local/mail-link.ts";
import { isAlive } from "../../src/platform/process.ts";
import { thisInstallation } from "./build-copy.ts";
import type { TemporaryHome } from "./home.ts";
import type { HistoryLine } from "./mail-history.ts";
import { monotonicMs, readHistory } from "./mail-history-file.ts";
import type { Role } from "./mail-participant.ts";
import { type HomeProcess, killProcess } from "./processes.ts";
import type { Random } from "./random.ts";
import { waitUntil } from "./wait-until.ts";

/** A mailbox of a temporary home and its participants, and everything that can happen to its leader. */
const PARTICIPANT = join(import.meta.dirname, "mail-participant.ts");
const READ_TIMEOUT_MS = 5_000;
const SERVED_DEADLINE_MS = 30_000;
const DRAINED_DEADLINE_MS = 60_000;

export class MailSite {
  readonly house: TemporaryHome;
  readonly client: Client;
  readonly participants = new Map<string, RunningParticipant>();
  readonly #histories = new Set<string>();
  #generation = 0;

  constructor(house: TemporaryHome) {
    this.house = house;
    const dial = dialMailbox({ places: house.places, build: thisInstallation().build, env: house.env, mode: "start" });
    this.client = new Client({ dial, name: "chaos", version: "0", randomId: () => crypto.randomUUID() });
  }

  /** Resolves once it has its name. A second one of a name goes on in the first one's place. */
  async start(role: Omit<Role, "history" | "build" | "generation">): Promise<RunningParticipant> {
    const generation = this.#generation++;
    const history = join(this.house.base, `history-${role.name}-${generation}.jsonl`);
    this.#histories.add(history);
    const whole: Role = { ...role, generation, history, build: thisInstallation().build };
    const participant = new RunningParticipant(whole, this.house);
    this.participants.set(role.name, participant);
    await participant.says("ready");
    return participant;
  }

  /** The leader by the log, while its process lives. */
  leader(): HomeProcess | undefined {
    const newest = this.#read<{ pid: number }>("select pid from leader order by epoch desc limit 1")[0];
    return this.#processes().find(({ pid }) => pid === newest?.pid);
  }

  standby(): HomeProcess | undefined {
    const leader = this.leader();
    return leader && this.#processes().find(({ pid }) => pid !== leader.pid);
  }

  /** Resolves when a leader answers through its writer; answers its epoch. */
  async served(): Promise<{ epoch: number; afterMs: number }> {
    const beganMs = monotonicMs();
    const answer = await waitUntil(
      () => this.client.request("mail.ping", {}, { timeoutMs: SERVED_DEADLINE_MS }).catch(() => undefined),
      { what: "a leader that answers", deadlineMs: SERVED_DEADLINE_MS },
    );
    return { epoch: answer.epoch, afterMs: monotonicMs() - beganMs };
  }

  /** Everybody stops sending; then all that was sent is handled. */
  async drain(): Promise<void> {
    for (const participant of this.participants.values()) participant.tell("finish");
    await Promise.all([...this.participants.values()].map((participant) => participant.says("finished")));
    await waitUntil(() => this.open().length === 0, {
      what: "the end of all mail",
      deadlineMs: DRAINED_DEADLINE_MS,
      everyMs: 50,
    }).catch((error) => {
      throw new Error(`${error.message}\n${JSON.stringify(this.open().slice(0, 5))}\n${this.house.logs()}`);
    });
    for (const participant of this.participants.values()) participant.tell("end");
    await Promise.all([...this.participants.values()].map((participant) => participant.ended));
  }

  /** What participants wrote down, and what the log has left for them. */
  history(): HistoryLine[] {
    return [...[...this.#histories].flatMap(readHistory), ...this.open(), ...this.#dead()];
  }

  open = (): HistoryLine[] => this.#copies("'queued', 'offered', 'seen'");
  #dead = (): HistoryLine[] => this.#copies("'dead', 'expired'");

  /** The newest; 0 before the first. */
  epoch(): number {
    return this.#read<{ epoch: number }>("select epoch from leader order by epoch desc limit 1")[0]?.epoch ?? 0;
  }

  /** Resolves when a newer epoch is in the log. */
  async waitForEpochAfter(epoch: number): Promise<void> {
    await waitUntil(() => this.epoch() > epoch, { what: `an epoch after ${epoch}` });
  }

  /** The ids of what a participant has sent, as the log has them. */
  storedBy(sender: string): string[] {
    return this.#read<{ id: string }>("select id from messages where sender = ? order by seq", sender).map(
      ({ id }) => id,
    );
  }

  #copies(states: string): HistoryLine[] {
    const rows = this.#read<{ to: string; from: string; id: string; seq: number; state: string }>(
      `select d.recipient as "to", m.sender as "from", m.id, d.seq, d.state from deliveries d join messages m on m.seq = d.seq
       where d.state in (${states}) and m.kind <> 'notice'`,
    );
    return rows.map((row) => ({ kind: "left", ...row }));
  }

  #read<R>(query: string, ...values: string[]): R[] {
    const path = join(this.house.places.mailDir, "log.db");
    if (!existsSync(path)) return [];
    const log = new DatabaseSync(path, { readOnly: true, timeout: READ_TIMEOUT_MS });
    try {
      if (log.prepare("pragma user_version").get()?.user_version === 0) return []; // it is being made
      return log.prepare(query).all(...values) as R[];
    } finally {
      log.close();
    }
  }

  #processes(): HomeProcess[] {
    return this.house
      .processes()
      .filter(
        ({ identity, argv }) => isAlive(identity) && argv.some((argument) => argument.endsWith("mail-leader.js")),
      );
  }

  /** Ends the participants, then leader and standby together, so that neither starts another. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    for (const participant of this.participants.values()) participant.kill();
    await Promise.all([...this.participants.values()].map((participant) => participant.ended));
    await waitUntil(
      () => {
        const left = this.#processes();
        for (const { pid } of left) signalTo(pid, "SIGSTOP");
        for (const one of left) killProcess(one);
        return left.length === 0;
      },
      { what: "the end of the mailbox's processes" },
    );
  }
}

export class RunningParticipant {
  readonly role: Role;
  readonly ended: Promise<unknown>;
  readonly #child: ChildProcess;
  #said = "";
  #errors = "";

  constructor(role: Role, { env, dir }: TemporaryHome) {
    this.role = role;
    this.#child = spawn(process.execPath, [PARTICIPANT, JSON.stringify(role)], { env, cwd: dir, stdio: "pipe" });
    this.#child.stdout!.on("data", (chunk) => (this.#said += chunk));
    this.#child.stderr!.on("data", (chunk) => (this.#errors += chunk));
    this.#child.stdin!.on("error", () => {});
    this.ended = once(this.#child, "close");
  }

  tell(word: "finish" | "end"): void {
    this.#child.stdin!.write(`${word}\n`);
  }

  /** Resolves with the line that begins so. */
  says(word: string): Promise<string> {
    return waitUntil(
      () => {
        const line = this.#said.split("\n").find((one) => one.startsWith(word));
        if (line === undefined && this.#child.exitCode !== null)
          throw new Error(`${this.role.name} ended with ${this.#child.exitCode}: ${this.#errors}`);
        return line;
      },
      { what: `${this.role.name} to say ${word}`, deadlineMs: DRAINED_DEADLINE_MS },
    );
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

export type Blow =
  | "kill leader"
  | "kill leader twice"
  | "kill standby"
  | "kill both"
  | "stop leader"
  | "stop standby"
  | "terminate leader"
  | "yield"
  | "kill participant";

/** How often each comes in twenty. */
const BLOWS: readonly Blow[] = [
  ...Array<Blow>(6).fill("kill leader"),
  ...Array<Blow>(2).fill("kill leader twice"),
  "kill standby",
  "kill both",
  "kill both",
  ...Array<Blow>(3).fill("stop leader"),
  "stop standby",
  ...Array<Blow>(3).fill("terminate leader"),
  "yield",
  "kill participant",
];

/** Deals one blow that chance picks; resolves with it when somebody leads again. */
export async function strike(site: MailSite, random: Random): Promise<{ blow: Blow; afterMs: number }> {
  const blow = random.pick(BLOWS);
  await deal(site, blow, random);
  return { blow, afterMs: (await site.served()).afterMs };
}

async function deal(site: MailSite, blow: Blow, random: Random): Promise<void> {
  const leader = await waitUntil(() => site.leader(), { what: "a leader", deadlineMs: SERVED_DEADLINE_MS });
  switch (blow) {
    case "kill leader":
      return killProcess(leader);
    case "kill leader twice": {
      killProcess(leader);
      const isNext = (one: HomeProcess | undefined) => (one && one.pid !== leader.pid ? one : undefined);
      const next = await waitUntil(() => isNext(site.leader()), { what: "another leader" });
      return killProcess(next);
    }
    case "kill standby": {
      const standby = site.standby();
      return standby && killProcess(standby);
    }
    case "kill both": {
      const standby = site.standby();
      if (standby) killProcess(standby);
      return killProcess(leader);
    }
    case "stop leader":
      return pauseProcess(leader, random.between(1, 900));
    case "stop standby": {
      const standby = site.standby();
      return standby && pauseProcess(standby, random.between(1, 900));
    }
    case "terminate leader":
      return signalTo(leader.pid, "SIGTERM");
    case "yield":
      await site.client.request("mail.yield", {}, { timeoutMs: SERVED_DEADLINE_MS }).catch(() => {});
      return;
    case "kill participant": {
      const victim = random.pick([...site.participants.values()]);
      victim.kill();
      await victim.ended;
      const { history: _, build: __, generation: ___, ...role } = victim.role;
      await site.start({ ...role, seed: random.between(0, 2 ** 31) });
    }
  }
}

/** Stops it, and lets it go on after a while: it may have been deposed meanwhile. */
async function pauseProcess({ pid, identity }: HomeProcess, forMs: number): Promise<void> {
  signalTo(pid, "SIGSTOP");
  await new Promise((wake) => setTimeout(wake, forMs));
  if (isAlive(identity)) signalTo(pid, "SIGCONT");
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // ended meanwhile
  }
}
