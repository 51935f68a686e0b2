import assert from "node:assert/strict";
import type { Frame } from "../../../src/sealing/frames.ts";
import { HubActor } from "../remote-sim/hub-actor.ts";
import type { Attack } from "./attack.ts";
import { flipped, live, type Steered } from "./steered.ts";

/** What a hub, or who pretends to be it, can do before it has shown who it is. */
export const GREETING_ATTACKS: readonly Attack[] = [
  ...(["device", "machine"] as const).flatMap((victim) => {
    const isVictim = (steered: Steered, member: string): boolean =>
      (member === steered.machine.name) === (victim === "machine");
    const untrue = async (
      steered: Steered,
      change: (frame: Frame, first: Map<string, Frame>) => Frame[] | undefined,
    ): Promise<void> => {
      const first = new Map<string, Frame>();
      steered.change = (frame, { to, member }) =>
        to === "member" && isVictim(steered, member) ? change(frame, first) : undefined;
      steered.world.network.cut();
      steered.heard.length = 0;
      await steered.pass(11 * 60_000);
      const said = steered.heard.filter(({ to, member }) => to === "hub" && isVictim(steered, member));
      assert.deepEqual(
        new Set(said.map(({ frame }) => frame.kind)),
        new Set(["login"]),
        "nothing but logins is said to it",
      );
      const hellos = steered.heard.filter(({ frame, member }) => frame.kind === "hello" && isVictim(steered, member));
      assert.ok(said.length <= hellos.length, "and one for each connection");
      const states =
        victim === "device"
          ? steered.world.devices[0]!.coordinator!.hubs().map(({ state }) => state.kind)
          : steered.machine.remote!.hubs().map(({ state }) => state);
      assert.ok(
        states.every((state) => state !== "ready"),
        `${states}`,
      );
    };
    return [
      live(`forge the welcome, to a ${victim}`, "Welcomes with a signature that is not the hub's.", (steered) =>
        untrue(steered, (frame) =>
          frame.kind === "welcome" ? [{ ...frame, signature: flipped(frame.signature, 9) }] : undefined,
        ),
      ),
      live(
        `a welcome of another login, to a ${victim}`,
        "Says the welcome of an earlier connection again.",
        (steered) =>
          untrue(steered, (frame, first) => {
            if (frame.kind !== "welcome") return undefined;
            if (!first.has("welcome")) {
              first.set("welcome", { ...frame, signature: frame.signature.slice() });
              return [{ ...frame, signature: new Uint8Array(64) }];
            }
            return [first.get("welcome")!];
          }),
      ),
      live(
        `a false floor in the welcome, to a ${victim}`,
        "Adds head and floor to a welcome that says that nothing was missed.",
        (steered) =>
          untrue(steered, (frame) =>
            frame.kind === "welcome" ? [{ ...frame, missed: { head: 2 ** 40, floor: 2 ** 39 } }] : undefined,
          ),
      ),
      live(`two hellos, to a ${victim}`, "Asks for a second signature on the same connection.", (steered) =>
        untrue(steered, (frame) =>
          frame.kind === "hello" ? [frame, { ...frame, nonce: flipped(frame.nonce, 3) }] : undefined,
        ),
      ),
      live(`speak before the welcome, to a ${victim}`, "Sends presence in the place of its proof.", (steered) =>
        untrue(steered, (frame) =>
          frame.kind === "welcome"
            ? [{ kind: "presence", space: new Uint8Array(32), isPresent: true }, frame]
            : undefined,
        ),
      ),
    ];
  }),
  live("another key at the same address", "Answers at a known address with another key.", async (steered) => {
    const { world } = steered;
    const real = world.hubs.map(({ hub }) => hub);
    const others = await Promise.all(
      world.hubs.map(async ({ name }) => {
        const options = {
          name,
          time: world.time,
          crypto: world.crypto,
          key: await world.finish(world.crypto.newSigningKey()),
          hasFiles: false,
        };
        const evil = new HubActor(options);
        world.network.add(evil);
        return evil;
      }),
    );
    world.network.cut();
    await steered.pass(120_000);
    for (const { state } of world.devices[0]!.coordinator!.hubs())
      assert.equal("error" in state && state.error.code, "HUB_KEY_CHANGED");
    for (const { state } of steered.machine.remote!.hubs()) assert.equal(state, "refused");
    for (const evil of others) {
      assert.deepEqual(evil.hub!.facts().connections.devices, 0);
      await evil.close();
    }
    assert.ok(real.every((hub) => hub !== undefined));
    for (const hub of world.hubs) world.network.add(hub);
  }),
];
