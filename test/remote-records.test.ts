import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { RecordReader } from "../src/client/remote/record-reader.ts";
import { MemoryRecords } from "../src/client/remote/testing/memory-records.ts";
import { HubTalk, logIn } from "../src/hub/testing/hub-talk.ts";
import type { HubStatus } from "../src/protocol/hub-control.ts";
import { toHex } from "../src/sealing/bytes.ts";
import { type Link, NO_LINK, nextIn } from "../src/sealing/chain.ts";
import { fingerprintOf } from "../src/sealing/login.ts";
import { decodeMembers } from "../src/sealing/members.ts";
import { namesKey, streamId } from "../src/sealing/period.ts";
import { RECORD_KINDS, recordHash, sealRecord } from "../src/sealing/record.ts";
import { decodeResult, encodeJson, type RemoteRequest } from "../src/sealing/request.ts";
import { decodeUnitRow, type UnitRow } from "../src/sealing/unit-row.ts";
import { webCrypto } from "../src/sealing/webcrypto.ts";
import { temporaryHome } from "./harness/home.ts";
import { TestDevice } from "./harness/remote-device.ts";
import { unitsAreTold } from "./harness/told-units.ts";
import { waitUntil } from "./harness/wait-until.ts";
import type { Running } from "./harness/warren.ts";

const crypto = webCrypto();

/** A hub in a home of its own, and a machine that can be killed: real processes. */
class Site implements AsyncDisposable {
  readonly hubHouse = temporaryHome();
  readonly house = temporaryHome();
  hub!: Running;
  port = 0;

  static async make(): Promise<Site> {
    const site = new Site();
    await site.startHub();
    return site;
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async startHub(): Promise<void> {
    const args = ["hub", "--port", String(this.port), "--json", "--open"];
    this.hub = this.hubHouse.start(args, { deadlineMs: 300_000 });
    this.port = (JSON.parse(await this.hub.shows(/\}\n/)) as Pick<HubStatus, "port">).port;
  }

  async killHub(): Promise<void> {
    this.hub.child.kill("SIGKILL");
    await this.hub.ended;
  }

  /** Keeper and server at once: nobody starts another. */
  async killMachine(): Promise<void> {
    await waitUntil(
      () => {
        const processes = [...this.house.processes("keeper"), ...this.house.processes("server")];
        for (const { pid } of processes) {
          try {
            process.kill(pid, "SIGKILL");
          } catch {
            // it is gone already
          }
        }
        return processes.length === 0;
      },
      { what: "the end of the machine" },
    );
  }

  async pair(name: string, scopes = "view,type,approve,admin"): Promise<RecordDevice> {
    const pairing = this.house.start(["pair", "--hub", this.address, "--yes", "--json", "--scopes", scopes]);
    const { code } = JSON.parse((await pairing.shows(/\n/)).split("\n")[0]!) as { code: string };
    const device = await TestDevice.make(name);
    const joining = await device.join(code);
    assert.equal(await joining.verdict, true);
    assert.equal((await pairing.ended).status, 0);
    device.close();
    return new RecordDevice(device);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hub.child.kill("SIGKILL");
    await this.house[Symbol.asyncDispose]();
    await this.hubHouse[Symbol.asyncDispose]();
  }
}

/** Comes to its hub for what lies there, and goes: it never has a live session. */
class RecordDevice {
  readonly device: TestDevice;
  readonly store = new MemoryRecords();
  readonly refused: string[] = [];
  #link: Link = NO_LINK;

  constructor(device: TestDevice) {
    this.device = device;
  }

  async reader(): Promise<RecordReader> {
    const { device } = this;
    const hub = toHex(await fingerprintOf(crypto, device.hubKey));
    const { space, exchangeKey, signingKey } = device.offer!;
    const machine = {
      id: toHex(signingKey),
      exchangeKey,
      name: "",
      words: "",
      scopes: ["view"] as const,
      spaces: { [hub]: space },
      addedMs: 0,
    };
    return RecordReader.open({
      hub,
      loginKey: device.login.publicKey,
      keys: device,
      store: this.store,
      crypto,
      machines: () => [machine],
      took() {},
      events: { onRow() {}, onGap() {}, onRefused: (why) => void this.refused.push(why) },
    });
  }

  /** Until it has seen what it came for. */
  async fetch(isThere: () => boolean, what: string): Promise<void> {
    await waitUntil(
      async () => {
        const reader = await this.reader();
        await this.#connected(reader.place, async (talk) => {
          const wait = performance.now() + 200;
          await waitUntil(() => talk.has("record") || performance.now() > wait, { what: "records, or none" });
          while (talk.has("record")) {
            const { place, record } = await talk.next("record");
            await reader.read(place, record);
            talk.send({ kind: "took", place });
          }
        });
        return isThere();
      },
      { what },
    );
  }

  get units(): Record<string, string> {
    const rows = this.store.rows
      .filter(({ kind }) => kind === RECORD_KINDS.state)
      .map(({ text }) => decodeUnitRow(text));
    return Object.fromEntries(rows.map(({ id, name, state }: UnitRow) => [name || id, state]));
  }

  results() {
    return this.store.rows.filter(({ kind }) => kind === RECORD_KINDS.result).map(({ text }) => decodeResult(text));
  }

  async leave(type: string, payload: Record<string, unknown>, lifeMs = 600_000): Promise<RemoteRequest> {
    const { device } = this;
    const { space, signingKey } = device.offer!;
    const { period, key: periodKey } = (await this.reader()).newestPeriod(toHex(space))!;
    const sent_ms = Date.now();
    const request: RemoteRequest = {
      id: toHex(crypto.random(16)),
      target: { machine: toHex(signingKey) },
      type,
      payload,
      number: sent_ms,
      after: 0,
      deadline_ms: sent_ms + lifeMs,
      sent_ms,
    };
    const head = {
      kind: RECORD_KINDS.request,
      space,
      stream: await streamId(crypto, await namesKey(crypto, periodKey), "requests"),
      sender: device.login.publicKey,
      period,
      ...nextIn(this.#link),
      atMs: sent_ms,
    };
    const keys = { hub: await fingerprintOf(crypto, device.hubKey), periodKey };
    const record = await sealRecord(crypto, { head, text: encodeJson(request), keys, signer: device.signing });
    this.#link = { seq: head.seq, hash: await recordHash(crypto, record) };
    await this.#connected((await this.reader()).place, async (talk) =>
      assert.equal(await talk.answer({ kind: "put", request: 1, record: record.bytes }), "done"),
    );
    return request;
  }

  async #connected(cursor: number, work: (talk: HubTalk) => Promise<void>): Promise<void> {
    const { device } = this;
    const socket = new WebSocket(`${device.address.replace(/^http/, "ws")}/hub/v1`);
    socket.binaryType = "arraybuffer";
    const talk = new HubTalk((bytes) => socket.send(bytes as Uint8Array<ArrayBuffer>));
    socket.onmessage = ({ data }) => talk.hear(new Uint8Array(data));
    socket.onclose = () => talk.end();
    socket.onerror = () => {}; // a close follows
    try {
      await new Promise<void>((resolve) => {
        socket.onopen = () => resolve();
        void talk.closed.then(resolve);
      });
      const login = { crypto, hubKey: device.hubKey, key: device.login, role: "device", cursor, isNew: true } as const;
      const missed = await logIn(talk, login);
      if (typeof missed === "object" && "refused" in missed) throw new Error(missed.refused);
      await work(talk);
    } finally {
      socket.close();
      await talk.closed;
    }
  }
}

test("records: a device that was away sees the machine's last list after the machine has died", async () => {
  await using site = await Site.make();
  const phone = await site.pair("phone", "view");
  await site.house.warren(["add", "--name", "web", "sleep", "1000"]);
  await site.house.warren(["add", "--name", "db", "sleep", "1000"]);
  await site.house.warren(["stop", "web"]);
  await unitsAreTold(site.house, 2);
  await site.killMachine();
  await phone.fetch(() => phone.units.web === "ended", "the row of web");
  assert.deepEqual(phone.units, { web: "ended", db: "running" });
  assert.deepEqual(phone.refused, []);
});

test("records: what was left while the machine was away is carried out once when it returns; what is late, and what a revoked device left, is not", async () => {
  await using site = await Site.make();
  const phone = await site.pair("phone");
  const lost = await site.pair("lost");
  for (const one of [phone, lost]) await one.fetch(() => one.store.rows.length > 0, "its period");
  await site.killMachine();
  const mark = (name: string) => ({
    command: ["sh", "-c", `echo done >> ${name}`],
    name,
    workdir: site.house.dir,
    env: ["PATH=/usr/bin:/bin"],
  });
  const late = await phone.leave("add", mark("late"), 1);
  const wanted = await phone.leave("add", mark("wanted"));
  await lost.leave("add", mark("stolen"));
  await site.killHub();
  const { status, stderr } = await site.house.warren(["devices", "revoke", "lost"]);
  assert.equal(status, 0, stderr);
  await site.startHub();
  await phone.fetch(() => phone.results().length === 2, "both results");
  assert.deepEqual(
    phone.results().map(({ id, error, result }) => [id, error?.code, (result as { action?: string })?.action]),
    [
      [late.id, "DEADLINE_OVER", undefined],
      [wanted.id, undefined, "created"],
    ],
  );
  await waitUntil(() => existsSync(join(site.house.dir, "wanted")), { what: "the job's work" });
  // Another server finds nothing left to do.
  await site.killMachine();
  await site.house.warren(["list"]);
  await phone.fetch(() => phone.units.wanted === "ended", "the row of what was added");
  assert.equal(readFileSync(join(site.house.dir, "wanted"), "utf8"), "done\n");
  assert.deepEqual(
    [existsSync(join(site.house.dir, "late")), existsSync(join(site.house.dir, "stolen"))],
    [false, false],
  );
  const members = phone.store.rows.findLast(({ kind }) => kind === RECORD_KINDS.members)!;
  assert.deepEqual(
    decodeMembers(members.text).map(({ name }) => name),
    ["phone"],
  );
  await assert.rejects(
    lost.fetch(() => true, "nothing"),
    /DEVICE_UNKNOWN/,
  );
});
