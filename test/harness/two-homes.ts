import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TemporaryHome, temporaryHome } from "./home.ts";
import { startHub } from "./hub-process.ts";
import { showCode } from "./shown-code.ts";
import type { Ended, Running } from "./warren.ts";

/** A hub and two homes: one is a machine, the other steers it by its command line. Everything is a real process. */
export class TwoHomes implements AsyncDisposable {
  /** The machine, with the hub. */
  readonly there: TemporaryHome;
  /** The device. */
  readonly here = temporaryHome();
  readonly hubs: Running[] = [];

  constructor(env: Record<string, string> = {}) {
    this.there = temporaryHome({ env });
  }

  /** Its address. */
  async startHub(house: TemporaryHome = this.there, port = 0): Promise<string> {
    const { running, address } = await startHub(house, { port });
    this.hubs.push(running);
    return address;
  }

  async pair(address: string, scopes = "view,type,approve,admin"): Promise<Ended> {
    const { code, pairing } = await showCode(this.there, address, { scopes });
    const joined = await this.here.warren(["pair", code, "--yes", "--json"]);
    assert.equal(joined.status, 0, joined.stderr);
    assert.equal((await pairing.ended).status, 0);
    return joined;
  }

  /** The machine's name. */
  get name(): string {
    const { machines } = JSON.parse(readFileSync(this.deviceFile, "utf8")) as { machines: { name: string }[] };
    return machines[0]!.name;
  }

  get deviceFile(): string {
    return join(this.here.home, "remote", "device", "device.json");
  }

  on(...args: string[]): Promise<Ended> {
    return this.here.warren(["--on", this.name, ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.hubs) child.kill("SIGKILL");
    await this.here[Symbol.asyncDispose]();
    await this.there[Symbol.asyncDispose]();
  }
}
