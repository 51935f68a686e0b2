import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodePairingCode, type PairingCode } from "../../../src/sealing/pairing-code.ts";
import { type Installation, thisInstallation } from "../build-copy.ts";
import { needsRoot } from "../faults.ts";
import { type TemporaryHome, temporaryHome } from "../home.ts";
import { startHub } from "../hub-process.ts";
import { killMachine } from "../processes.ts";
import { scriptedAgentIn } from "../scripted-agent.ts";
import { showCode } from "../shown-code.ts";
import { waitUntil } from "../wait-until.ts";
import type { Running } from "../warren.ts";
import { Pocket } from "./pocket.ts";
import { Tap } from "./tap.ts";

/**
 * A day of a hub that somebody listens to: a real hub, a real machine in a home of its own, a phone; everything between them goes through a tap. What may not be
 * found anywhere at the hub are the words of {@link DayWords}: each is said, typed, stored or shown by one of the ends.
 */

/** A `put` (its kind, its request), and of the record in it the second byte. */
const PUT = 48;
const RECORD_KIND_AT = 1 + 4 + 1;
const [ITEM, HEAD] = [2, 7];

/** Long and random, so that none is anywhere by chance. */
const word = (name: string): string => `${name}${randomBytes(6).toString("hex")}`;

export class DayWords {
  readonly device = word("phone-");
  readonly renamed = word("pocket-");
  readonly lost = word("lost-");
  readonly unit = word("unit-");
  readonly agent = word("agent-");
  readonly directory = word("directory-");
  readonly typed = word("typed-");
  readonly answered = word("answered-");
  readonly asked = word("asked-");
  readonly prompt = word("prompt-");
  readonly subject = word("subject-");
  readonly body = word("body-");
  readonly title = word("title-");
  readonly command = word("command-");
  readonly leftFor = word("left-");
  /** Of the machine, which is its name as well. */
  readonly host = word("laptop-");
  /** The hub's own: it has to be found, or the search finds nothing. */
  readonly label = word("attic-");
}

export class Day implements AsyncDisposable {
  readonly words = new DayWords();
  readonly hubHouse = temporaryHome({ env: { WARREN_LOG: "debug" } });
  readonly house: TemporaryHome = temporaryHome({ env: { WARREN_MAIL_PORT: "0" } });
  readonly directory = join(this.house.dir, this.words.directory);
  readonly phone = new Pocket(this.words.device);
  readonly lost = new Pocket(this.words.lost);
  /** How much had been heard when the command that revokes a device had come to its end. */
  heardWhenRevoked = 0;
  #bin = thisInstallation().bin;
  /** As they were shown. */
  readonly codes: PairingCode[] = [];
  hub!: Running;
  tap!: Tap;

  /** Everything that remote is for, once. */
  static async lived(): Promise<Day> {
    const day = new Day();
    try {
      await day.#live();
      return day;
    } catch (error) {
      await day[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #live(): Promise<void> {
    mkdirSync(this.directory);
    this.#nameMachine();
    const { label } = this.words;
    const { running, facts } = await startHub(this.hubHouse, { args: ["--label", label] });
    this.hub = running;
    this.tap = await Tap.before(facts.port);
    await this.#pair(this.phone, await this.#invitation());
    await this.#pair(this.lost);
    await this.phone.open();
    await this.lost.open();
    await this.#lookAndType();
    await this.#approve();
    await this.#mail();
    await this.#whileAway();
    await this.#revoke();
  }

  /** Hub and machine run on one host here: the machine's commands, and all that they start, see another name of it (unshare(1)). */
  #nameMachine(): void {
    if (needsRoot() !== undefined) return;
    const { bin } = thisInstallation();
    const inside = `echo ${this.words.host} > /proc/sys/kernel/hostname && exec ${bin} "$@"`;
    const path = join(this.house.base, "warren");
    writeFileSync(path, `#!/bin/sh\nexec unshare --uts -- sh -c '${inside}' warren "$@"\n`, { mode: 0o755 });
    this.#bin = path;
  }

  async #invitation(): Promise<string> {
    const { stdout } = await this.hubHouse.warren(["hub", "invite", "--json"]);
    return (JSON.parse(stdout) as { invitation: string }).invitation;
  }

  async #pair(pocket: Pocket, invitation?: string): Promise<void> {
    const args = invitation === undefined ? [] : ["--invitation", invitation];
    const options = { scopes: "view,type,approve,admin", args, from: this.#machine };
    const { code, pairing } = await showCode(this.house, this.tap.address, options);
    this.codes.push(decodePairingCode(code, { nowSeconds: Date.now() / 1_000, isLocal: true }));
    await pocket.join(code);
    const { status, stderr } = await pairing.ended;
    assert.equal(status, 0, stderr);
  }

  async #lookAndType(): Promise<void> {
    const { words, phone, directory } = this;
    const script = `echo ${words.command}; sleep 1000`;
    await this.#warren("add", "--name", words.unit, "--", "sh", "-c", script);
    await this.#warren("new", "--detached", "--name", words.title, "--", "sh");
    await this.#warren("devices", "rename", words.device, words.renamed);
    const { jobs } = await phone.client().request("list", {});
    assert.deepEqual(
      jobs.map(({ name, workdir }) => [name, workdir]),
      [[words.unit, directory]],
    );
    const typed = `echo ${words.typed} $((40 + 2))-${words.answered}\n`;
    await phone.types(words.title, typed, new RegExp(`42-${words.answered}`));
    await waitUntil(() => phone.rows.get(words.unit) === "running", { what: "the row of the job" });
  }

  async #approve(): Promise<void> {
    const { words, phone, directory } = this;
    await this.#warren("new", "--detached", "--name", words.agent, "--agent", scriptedAgentIn(directory));
    const client = phone.client(words.agent);
    const session = words.agent;
    const text = `say ${words.prompt}\nask "${words.asked}?" allow|deny\nsay done.`;
    await client.request("session.prompt", { session, text });
    const pending = await waitUntil(
      async () => {
        const { conversation } = await client.request("session.conversation", { session });
        return conversation.items.some((item) => item.kind === "permission" && item.state === "pending");
      },
      { what: "the agent's question", everyMs: 50 },
    );
    assert.ok(pending);
    await client.request("session.answer", { session, choice: "allow" });
    await this.#hasPut(ITEM, "what the agent has said");
  }

  async #mail(): Promise<void> {
    const { words, phone } = this;
    const sent = { as: "person", to: ["fox"], subject: words.subject, body: words.body };
    await phone.client().request("mail.send", sent as never);
    await this.#hasPut(HEAD, "the machine's list of what there is");
  }

  async #hasPut(kind: number, what: string): Promise<void> {
    const isIt = ({ payload }: { payload: Uint8Array }): boolean =>
      payload[0] === PUT && payload[RECORD_KIND_AT] === kind;
    await waitUntil(() => this.tap.heard.some(isIt), { what });
  }

  /** The machine is away: what the phone wants waits at the hub, and so does the machine's answer. */
  async #whileAway(): Promise<void> {
    const { words, phone, directory } = this;
    const machine = phone.link.machine.id;
    await killMachine(this.house.home);
    await waitUntil(() => Object.values(phone.coordinator.machines()[0]!.presence).every((isThere) => !isThere), {
      what: "the phone hears that the machine is away",
    });
    const payload = { command: ["true"], name: words.leftFor, workdir: directory, env: ["PATH=/usr/bin:/bin"] };
    const { id } = await phone.coordinator.outbox!.add({ machine, type: "add", payload });
    const stateOf = (): string => phone.coordinator.outbox!.items().find((item) => item.id === id)!.state.kind;
    await waitUntil(() => stateOf() === "delivered", { what: "the hub has it" });
    await this.#warren("list");
    await waitUntil(() => stateOf() === "done", { what: "the machine has done it" });
    await waitUntil(() => phone.rows.has(words.leftFor), { what: "its row" });
  }

  async #revoke(): Promise<void> {
    await this.lost.client().request("ping", {});
    await this.#warren("devices", "revoke", this.words.lost);
    this.heardWhenRevoked = this.tap.heard.length;
    await waitUntil(() => this.lost.coordinator.hubs()[0]!.state.kind !== "ready", { what: "it is cut off" });
    await this.phone.client().request("ping", {});
  }

  get #machine(): Installation {
    return { ...thisInstallation(), bin: this.#bin };
  }

  async #warren(...args: string[]): Promise<void> {
    const { status, stdout, stderr } = await this.house.warren(args, { cwd: this.directory, from: this.#machine });
    assert.equal(status, 0, `warren ${args.join(" ")}: ${stdout}${stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.phone.close();
    this.lost.close();
    this.tap?.[Symbol.dispose]();
    this.hub?.child.kill("SIGKILL");
    await this.house[Symbol.asyncDispose]();
    await this.hubHouse[Symbol.asyncDispose]();
  }
}
