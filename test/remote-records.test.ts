import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
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
import { HubHouse } from "./harness/hub-house.ts";
import { killMachine } from "./harness/processes.ts";
import { pairedDevice, ReadingDevice } from "./harness/record-reading.ts";
import { unitsAreTold } from "./harness/told-units.ts";
import { waitUntil } from "./harness/wait-until.ts";

const crypto = webCrypto();

/** A hub in a home of its own, and a machine that can be killed: real processes. */
class Site implements AsyncDisposable {
  readonly hub: HubHouse;
  readonly house = temporaryHome();

  static async make(): Promise<Site> {
    return new Site(await HubHouse.open());
  }

  private constructor(hub: HubHouse) {
    this.hub = hub;
  }

  async pair(name: string, scopes = "view,type,approve,admin"): Promise<LeavingDevice> {
    return new LeavingDevice(await pairedDevice(this.house, this.hub.address, name, scopes));
  }

  killMachine(): Promise<void> {
    return killMachine(this.house.home);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.house[Symbol.asyncDispose]();
    await this.hub[Symbol.asyncDispose]();
  }
}

/** It leaves requests at its hub as well. */
class LeavingDevice extends ReadingDevice {
  #link: Link = NO_LINK;

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
    await this.connected((await this.reader()).place, async (talk) =>
      assert.equal(await talk.answer({ kind: "put", request: 1, record: record.bytes }), "done"),
    );
    return request;
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
  await site.hub.end("SIGKILL");
  const { status, stderr } = await site.house.warren(["devices", "revoke", "lost"]);
  assert.equal(status, 0, stderr);
  await site.hub.start();
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
