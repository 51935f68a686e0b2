import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { machineOn } from "../../src/local/remote/device.ts";
import type { Session } from "../../src/protocol/units.ts";
import { linesOf } from "../harness/busy-agents.ts";
import { waitUntil } from "../harness/wait-until.ts";
import type { Ended } from "../harness/warren.ts";
import { WatchingTerminal } from "../harness/watching-terminal.ts";
import { type Ground, type Part, pause, rounds } from "./ground.ts";
import { checkWatching } from "./sessions.ts";

/**
 * The home's device, which reaches it by two hubs: terminals that are attached all the time, commands that are run there, and lines that are left for it
 * (`--later`). Hubs are killed by the chaos.
 */
const SCOPES = "view,type,approve,admin";
const WATCHED = 2;
const RUN_PAUSE_MS = 3_000;
const LATER_PAUSE_MS = 5_000;
const ALL_SENT_MS = 120_000;
/** A link that was lost is dialled again within 30 s, and what stood before a command came is a second more. */
const AWAY_MS = 40_000;
const AWAY = "a machine that cannot be reached is MACHINE_AWAY, and nothing was sent to it";

/** Longer than a command waits for a machine that is away, and than its harness waits for it. */
const SLOW_MS = 45_000;

/** What the runtime reports of a process that was asked: where it stands, and its sockets and timers. */
function waitedFor(dir: string, pid: number): string {
  const report = readdirSync(dir).find((name) => name.startsWith("report.") && name.includes(`.${pid}.`));
  if (report === undefined) return "no report of it";
  const { javascriptStack, libuv } = JSON.parse(readFileSync(join(dir, report), "utf8"));
  return JSON.stringify({
    javascriptStack,
    active: libuv.filter((handle: { is_active?: boolean }) => handle.is_active),
  });
}

export class Remote implements Part {
  readonly name = "remote";
  readonly #ground: Ground;
  readonly #counters: () => readonly Session[];
  #machine = "";
  #link: Awaited<ReturnType<typeof machineOn>> | undefined;
  #watching: WatchingTerminal[] = [];
  readonly #ran: string[] = [];
  readonly #tried = new Set<string>();
  readonly #typed: string[] = [];
  #runs = 0;

  /** @param counters terminals that count, by the time it opens */
  constructor(ground: Ground, counters: () => readonly Session[]) {
    this.#ground = ground;
    this.#counters = counters;
  }

  async open(): Promise<void> {
    const { hubs, device, house } = this.#ground;
    for (const { address } of hubs) await this.#pair(address);
    const { machines } = JSON.parse(readFileSync(join(device.home, "remote", "device", "device.json"), "utf8"));
    assert.equal(machines.length, 1, "one machine with two ways");
    this.#machine = machines[0].name;
    const opened = await machineOn(device.places, this.#machine);
    this.#link = opened;
    const watched = this.#counters().slice(-WATCHED);
    this.#watching = await Promise.all(
      watched.map(({ id }) => WatchingTerminal.attach(house.places, id, { dial: opened.link.dialBytes(id) })),
    );
    const typing = ["new", "-d", "--name", "typed", "--", "sh", "-c", "stty raw -echo; exec cat >> typed.txt"];
    const { status, stderr } = await house.warren(typing);
    assert.equal(status, 0, stderr);
  }

  async work(): Promise<void> {
    await Promise.all([
      rounds(this.#ground, this.name, () => this.#run()),
      rounds(this.#ground, this.name, () => this.#later()),
    ]);
  }

  say(): string {
    const { ledger } = this.#ground;
    return `remote ${ledger.count("remote runs")}+${ledger.count("left lines")}`;
  }

  async check(): Promise<void> {
    for (const terminal of this.#watching) await checkWatching(terminal, "a terminal that was attached by hubs");
    this.#checkRuns();
    await this.#sendAll();
    const found = (): string[] => linesOf(join(this.#ground.house.dir, "typed.txt"));
    await waitUntil(() => found().length >= this.#typed.length, { what: "every line that was left", everyMs: 50 });
    assert.deepEqual(found(), this.#typed, "each line that was left came once, and in order");
  }

  [Symbol.dispose](): void {
    for (const terminal of this.#watching) terminal[Symbol.dispose]();
    this.#link?.close();
  }

  async #pair(address: string): Promise<void> {
    const { house, device } = this.#ground;
    const pairing = house.start(["pair", "--hub", address, "--yes", "--json", "--scopes", SCOPES]);
    const { code } = JSON.parse((await pairing.shows(/\n/)).split("\n")[0]!) as { code: string };
    const joined = await device.warren(["pair", code, "--yes", "--json"]);
    assert.equal(joined.status, 0, joined.stderr);
    const { status, stderr } = await pairing.ended;
    assert.equal(status, 0, stderr);
  }

  /** Of one that takes too long its standard error says in the end what it was waiting for. */
  async #on(...args: string[]): Promise<Ended> {
    const { device } = this.#ground;
    const env = { NODE_OPTIONS: `--report-on-signal --report-directory=${device.base}` };
    const running = device.start(["--on", this.#machine, ...args], { env });
    const timer = setTimeout(() => process.kill(running.pid, "SIGUSR2"), SLOW_MS);
    const ended = await running.ended;
    clearTimeout(timer);
    return ended.signal === null ? ended : { ...ended, stderr: ended.stderr + waitedFor(device.base, running.pid) };
  }

  /** A command there; its status and its words here. One that was refused because nobody is there is tried again under another name. */
  async #run(): Promise<void> {
    const { random, over, ledger, house, incidents } = this.#ground;
    const id = `r${this.#runs++}`;
    const wanted = random.between(0, 99);
    const script = `echo ${id} >> ran.txt; echo said ${id}; exit ${wanted}`;
    const fromMs = incidents.nowMs() - AWAY_MS;
    this.#tried.add(id);
    const ran = await this.#on("run", "-q", "-f", "--name", id, "--dir", house.dir, "--", "sh", "-c", script);
    if (ran.status === 125 && /cannot be reached now/.test(ran.stderr)) {
      assert.ok(incidents.within(["server", "hub", "reload"], fromMs, incidents.nowMs()), `${id}: ${ran.stderr}`);
      ledger.allow(AWAY);
    } else {
      const { status, signal, stdout, stderr } = ran;
      const found = JSON.stringify({ status, signal, stdout, stderr });
      assert.deepEqual([status, stdout], [wanted, `[${id}] said ${id}\n`], `${id}, to end with ${wanted}: ${found}`);
      this.#ran.push(id);
      ledger.add("remote runs");
      await house.client().request("remove", { job_id: id, workdir: house.dir });
    }
    await pause(random.between(0, RUN_PAUSE_MS), over);
  }

  async #later(): Promise<void> {
    const { random, over, ledger } = this.#ground;
    const line = `line-${this.#typed.length}`;
    const { status, stdout, stderr } = await this.#on("send", "--later", "session:typed", `${line}\\x0a`);
    assert.equal(status, 0, `${line}: ${stdout}${stderr}`);
    this.#typed.push(line);
    ledger.add("left lines");
    if (/^Kept/.test(stdout)) ledger.add("lines kept for later");
    await pause(random.between(0, LATER_PAUSE_MS), over);
  }

  #checkRuns(): void {
    const done = linesOf(join(this.#ground.house.dir, "ran.txt"));
    assert.equal(new Set(done).size, done.length, "no command was run twice");
    const missing = this.#ran.filter((id) => !done.includes(id));
    assert.deepEqual(missing, [], "each command that was answered was run");
    const unknown = done.filter((id) => !this.#tried.has(id));
    assert.deepEqual(unknown, [], "nothing else was run");
  }

  async #sendAll(): Promise<void> {
    const { device } = this.#ground;
    await waitUntil(
      async () => {
        await device.warren(["outbox", "send"]);
        const { stdout } = await device.warren(["outbox", "--json"]);
        const items = JSON.parse(stdout) as { is_over: boolean }[];
        return items.every(({ is_over }) => is_over);
      },
      { what: "what was left to be over", deadlineMs: ALL_SENT_MS, everyMs: 500 },
    );
  }
}
