import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TemporaryHome, temporaryHome } from "../home.ts";
import { startHub } from "../hub-process.ts";
import { showCode } from "../shown-code.ts";
import { waitUntil } from "../wait-until.ts";
import type { Running } from "../warren.ts";
import { Pocket } from "./pocket.ts";
import { Tap } from "./tap.ts";

/** Two hubs that could compare: one machine and one phone are members of both, and say the same to both. */
export class TwoHubs implements AsyncDisposable {
  readonly house = temporaryHome();
  readonly phone = new Pocket("phone");
  readonly #hubs: { house: TemporaryHome; hub: Running; tap: Tap }[] = [];

  static async lived(): Promise<TwoHubs> {
    const pair = new TwoHubs();
    try {
      for (const label of ["attic", "cloud"]) await pair.#join(label);
      await pair.phone.open();
      await pair.#work();
      return pair;
    } catch (error) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** By hub: what its members said to it, and what it keeps. */
  get toldTo(): Uint8Array[][] {
    return this.#hubs.map(({ house, tap }) => [
      ...tap.heard
        .filter(({ kind, direction }) => kind === "message" && direction === "to hub")
        .map((one) => one.payload),
      ...blobsOf(join(house.places.hubDir, "hub.db")),
    ]);
  }

  async #join(label: string): Promise<void> {
    const house = temporaryHome();
    const { running, facts } = await startHub(house, { args: ["--open", "--label", label] });
    const tap = await Tap.before(facts.port);
    this.#hubs.push({ house, hub: running, tap });
    const { code, pairing } = await showCode(this.house, tap.address, { scopes: "view,type" });
    await this.phone.join(code);
    assert.equal((await pairing.ended).status, 0);
  }

  /** Live through each of them, and a record at both. */
  async #work(): Promise<void> {
    const { phone } = this;
    await this.house.warren(["add", "--name", "web", "--", "sleep", "1000"]);
    await waitUntil(() => phone.coordinator.hubs().every(({ state }) => state.kind === "ready"), { what: "both hubs" });
    const all = phone.coordinator.hubs().map(({ entry }) => entry.fingerprint);
    for (const hub of all) {
      const others = all.filter((one) => one !== hub);
      for (const other of others) await phone.coordinator.disconnect(other);
      await phone.client().request("list", {});
      for (const other of others) await phone.coordinator.connect(other);
    }
    const told = (): boolean => this.toldTo.every((all) => all.some((bytes) => bytes[0] === 48 && bytes[6] === 1));
    await waitUntil(told, { what: "the job's row, at both" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.phone.close();
    for (const { hub, tap } of this.#hubs) {
      tap[Symbol.dispose]();
      hub.child.kill("SIGKILL");
    }
    await this.house[Symbol.asyncDispose]();
    for (const { house } of this.#hubs) await house[Symbol.asyncDispose]();
  }
}

function blobsOf(path: string): Uint8Array[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return ["spaces", "members", "records"].flatMap((table) =>
      database
        .prepare(`select * from ${table}`)
        .all()
        .flatMap((row) => Object.values(row).filter((value) => value instanceof Uint8Array)),
    );
  } finally {
    database.close();
  }
}
