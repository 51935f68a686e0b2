import assert from "node:assert/strict";
import type { Introducing, IntroducingResult } from "../../../src/client/remote/introducing.ts";
import { isWarrenError } from "../../../src/protocol/errors.ts";
import type { PayloadOf } from "../../../src/protocol/messages.ts";
import { toHex } from "../../../src/sealing/bytes.ts";
import { type IntroductionFacts, makeIntroductionProof } from "../../../src/sealing/introducing.ts";
import type { Scope } from "../../../src/sealing/scopes.ts";
import type { DeviceActor } from "../remote-sim/device-actor.ts";
import { World } from "../remote-sim/world.ts";
import type { Attack } from "./attack.ts";

type Wanted = PayloadOf<"remote.introduce">;

/** A device that introduces another one to two machines by one code, and whoever wants to come between. */
export class Salon {
  readonly world: World;
  /** What the person at the device that introduces says to the check; by default no. */
  isYes = false;
  introducing!: Introducing;
  /** As the device that introduces shows it, and as the new ones do. */
  shown: string | undefined;
  readonly checks = new Map<string, string>();

  static async open(scopes: Scope[] = ["view", "type", "admin"]): Promise<Salon> {
    const salon = new Salon(await World.open({ seed: 5, cipher: "real", hubs: 1, machines: 2, devices: 3 }));
    const { world } = salon;
    for (const machine of world.machines) {
      const remote = machine.remote!;
      const { address } = world.hubs[0]!;
      const { fingerprint } = await world.finish(remote.look(address));
      await world.finish(remote.addHub({ address, fingerprint }));
      const made = await world.finish(remote.pair(address, scopes, new AbortController().signal));
      const yes = (): void => void remote.confirm(made.pairing.pairing).catch(() => {});
      await world.finish(salon.admin.join(made.code, { onCheck: yes }));
    }
    await world.finish(salon.admin.start());
    return salon;
  }

  private constructor(world: World) {
    this.world = world;
  }

  get admin(): DeviceActor {
    return this.world.devices[0]!;
  }

  get fresh(): DeviceActor {
    return this.world.devices[1]!;
  }

  get thief(): DeviceActor {
    return this.world.devices[2]!;
  }

  get remotes() {
    return this.world.machines.map(({ remote }) => remote!);
  }

  /** Shows a code. */
  async show(scopes: Scope[] = ["view", "type"]): Promise<string> {
    // The hub's word comes first that it is there.
    await this.world.time.runUntil(this.world.time.nowMs + 2_000);
    this.introducing = await this.world.finish(
      this.admin.introduce(scopes, ({ check }) => {
        this.shown = check;
        if (this.isYes) this.introducing.confirm();
        else this.introducing.cancel();
      }),
    );
    return this.introducing.code.warren;
  }

  /** `joined`, or the code of why not. */
  joins(device: DeviceActor, code: string): Promise<string> {
    const joining = device.join(code, { onCheck: (check) => void this.checks.set(device.name, check) });
    return this.world.finish(outcomeOf(joining));
  }

  /** How it ended for the one that introduces. */
  ended(): Promise<IntroducingResult | string> {
    return this.world.finish(this.introducing.over.catch(codeOf));
  }

  /** A request as the admin's device would make it, with keys of its own making. */
  async made(scopes: Scope[] = ["view"], change: (wanted: Wanted) => Wanted = (wanted) => wanted): Promise<Wanted> {
    const { crypto } = this.world;
    const [signing, exchange, login] = [
      await crypto.newSigningKey(),
      await crypto.newExchangeKey(),
      await crypto.newSigningKey(),
    ];
    const hub = (await this.admin.store.hubs())[0]!.fingerprint;
    const facts: IntroductionFacts = {
      hub: Buffer.from(hub, "hex"),
      handshakeHash: crypto.random(32),
      signingKey: signing.publicKey,
      exchangeKey: exchange.publicKey,
      loginKey: login.publicKey,
    };
    return change({
      introduction: toHex(crypto.random(16)),
      hub,
      handshake_hash: toHex(facts.handshakeHash),
      signing_key: toHex(facts.signingKey),
      exchange_key: toHex(facts.exchangeKey),
      login_key: toHex(facts.loginKey),
      proof: toHex(await makeIntroductionProof(crypto, { facts, scopes, key: signing })),
      name: "made up",
      platform: "test",
      scopes,
      wait_ms: 60_000,
    });
  }

  /** What the first machine says to it. */
  asks(wanted: Wanted, { signal = new AbortController().signal } = {}): Promise<string> {
    return this.world.finish(outcomeOf(this.remotes[0]!.introduce(wanted, this.admin.name, signal)));
  }

  /** So many devices on each machine's list, and as many members at the hub; and the others have kept nothing. */
  async left(counts: readonly number[]): Promise<void> {
    await this.world.time.runUntil(this.world.time.nowMs + 15_000);
    const listed = this.remotes.map((remote) => remote.devices().length);
    assert.deepEqual(listed, counts, "on the machines' lists");
    const sum = counts.reduce((all, count) => all + count, 0);
    assert.equal(this.world.hubs[0]!.deviceCount, sum, "at the hub");
    for (const remote of this.remotes) assert.deepEqual(remote.introductions().introductions, []);
    for (const device of [this.fresh, this.thief]) {
      const machines = await device.store.machines();
      assert.equal(machines.length === 0, (await device.store.keys()) === undefined, "all of it or nothing");
    }
  }
}

const codeOf = (error: unknown): string => (isWarrenError(error) ? error.code : String(error));

export const outcomeOf = (work: Promise<unknown>): Promise<string> => work.then(() => "joined", codeOf);

/** After it the machines' lists have so many devices; by default the admin's alone. */
export const introduction = (
  who: string,
  name: string,
  how: string,
  run: (salon: Salon) => Promise<void>,
  counts: readonly number[] = [1, 1],
): Attack => ({
  name: `${who}, introduction: ${name}`,
  how,
  async run() {
    const salon = await Salon.open();
    await using _world = salon.world;
    await run(salon);
    await salon.left(counts);
  },
});
