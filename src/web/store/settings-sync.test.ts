import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  AHEAD_MS_MAX,
  AHEAD_OF_BROWSER_MS_MAX,
  areSame,
  bounded,
  mergeSettings,
  readSettings,
  type Settings,
} from "../../protocol/settings.ts";
import type { FleetMachine } from "../model/fleet.ts";
import { DEFAULTS, type SettingName, type SettingValues } from "../model/settings.ts";
import { openSettings, type SettingsStore } from "./settings-store.ts";
import { SettingsSync } from "./settings-sync.ts";

/** A machine as its devices have it: what it keeps, and what lies of it at a hub for those that come later. */
class Machine {
  readonly id: string;
  settings: Settings = {};
  asked: Settings[] = [];
  clock = () => 0;
  onAsked = (): void => {};
  readonly readers = new Set<Browser>();
  /** What it says at all to whoever asks. */
  refuses = false;
  readonly #records: Settings[] = [];
  #isDelivering = false;

  constructor(id: string) {
    this.id = id;
  }

  async ask(said: Settings): Promise<Settings> {
    this.asked.push(said);
    this.onAsked();
    if (this.refuses) throw new Error("FORBIDDEN");
    const merged = bounded(mergeSettings(this.settings, readSettings(said, this.clock() + AHEAD_MS_MAX)));
    if (!areSame(merged, this.settings)) {
      this.settings = merged;
      this.#records.push(merged);
      this.#deliver();
    }
    return merged;
  }

  /** One after the other, also where one that hears the first makes it say the next. */
  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    for (let said = this.#records.shift(); said; said = this.#records.shift())
      for (const reader of this.readers) reader.hear(this.id, said);
    this.#isDelivering = false;
  }
}

class Browser {
  readonly settings: SettingsStore;
  readonly sync: SettingsSync;
  readonly #live = new Map<string, { machine: Machine; isLive: boolean; scopes: readonly string[] | undefined }>();
  readonly #timers = new Set<() => void>();
  #tell = (): void => {};
  aheadMs = 0;
  readonly #nowMs: () => number;

  constructor(name: string, nowMs: () => number) {
    this.#nowMs = nowMs;
    const kept = new Map<string, string>();
    this.settings = openSettings({
      storage: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) },
      events: new EventTarget(),
      nowMs: () => nowMs() + this.aheadMs,
      randomId: () => name,
    });
    this.sync = new SettingsSync({
      settings: this.settings,
      fleet: {
        get: () => ({ machines: new Map([...this.#live].map(([id, one]) => [id, factsOf(id, one)])) }),
        subscribe: (listener) => {
          this.#tell = listener;
          return () => {};
        },
      },
      ask: async (id, said) => this.#read(await this.#live.get(id)!.machine.ask(said)),
      timer: (_, task) => {
        this.#timers.add(task);
        return () => this.#timers.delete(task);
      },
    });
  }

  /** By its record. */
  hear(machine: string, said: Settings): void {
    this.sync.hear(machine, this.#read(said));
  }

  #read(said: Settings): Settings {
    return readSettings(said, this.#nowMs() + this.aheadMs + AHEAD_OF_BROWSER_MS_MAX);
  }

  /** It comes, or goes. */
  meet(machine: Machine, isLive: boolean, scopes: readonly string[] | undefined = ["view", "type"]): void {
    this.#live.set(machine.id, { machine, isLive, scopes });
    this.#tell();
  }

  /** Its person has removed it from the app. */
  part({ id }: Machine): void {
    this.#live.delete(id);
    this.#tell();
  }

  set<N extends SettingName>(name: N, value: SettingValues[N]): void {
    this.settings.set(name, value);
  }

  /** Time passes; whether something was due. */
  pass(): boolean {
    const due = [...this.#timers];
    this.#timers.clear();
    for (const task of due) task();
    return due.length > 0;
  }
}

const factsOf = (id: string, { isLive, scopes }: { isLive: boolean; scopes: readonly string[] | undefined }) =>
  ({ id, scopes, home: { way: { kind: isLive ? "live" : "away" } } }) as unknown as FleetMachine;

/** Until nobody has anything to do any more. @throws where that does not come */
async function settle(...browsers: Browser[]): Promise<void> {
  for (let turn = 0; turn < 100; turn++) {
    for (let tick = 0; tick < 30; tick++) await Promise.resolve();
    if (!browsers.map((one) => one.pass()).some((wasDue) => wasDue)) return;
  }
  throw new Error("it goes to and fro for ever");
}

test("settings, everywhere: what one sets the other has, by the machine that both steer; what is of a browser stays there", async () => {
  let nowMs = 1_000;
  const [phone, desk] = [new Browser("phone", () => nowMs++), new Browser("desk", () => nowMs++)];
  const laptop = new Machine("laptop");
  laptop.clock = () => nowMs;
  for (const one of [phone, desk]) {
    laptop.readers.add(one);
    one.meet(laptop, true);
  }
  await settle(phone, desk);
  assert.deepEqual(laptop.asked, [], "where nothing was set nobody is asked");
  phone.set("appearance", "dark");
  phone.set("terminalFontPx", 20);
  phone.set("confirmApprove", true);
  await settle(phone, desk);
  assert.deepEqual(Object.keys(laptop.settings), ["appearance"]);
  assert.deepEqual(desk.settings.get(), { ...DEFAULTS, appearance: "dark" });
  assert.equal(laptop.asked.length, 1);
});

test("settings, everywhere: what was set while a machine was away comes with the next contact, and on to the other machines", async () => {
  let nowMs = 1_000;
  const [phone, desk] = [new Browser("phone", () => nowMs++), new Browser("desk", () => nowMs++)];
  const [laptop, studio] = [new Machine("laptop"), new Machine("studio")];
  for (const machine of [laptop, studio]) machine.clock = () => nowMs;
  laptop.readers.add(phone).add(desk);
  studio.readers.add(desk);
  phone.meet(laptop, false);
  desk.meet(laptop, false);
  desk.meet(studio, true);
  phone.set("order", "name");
  desk.set("order", "recent");
  desk.set("sounds", true);
  phone.set("appearance", "dark");
  await settle(phone, desk);
  assert.equal(phone.settings.get().order, "name");
  for (const one of [phone, desk]) one.meet(laptop, true);
  await settle(phone, desk);
  for (const one of [phone, desk])
    assert.deepEqual(one.settings.get(), { ...DEFAULTS, order: "recent", sounds: true, appearance: "dark" });
  assert.ok(areSame(laptop.settings, studio.settings), "the device has carried it on");
});

test("settings, everywhere: switched off nothing goes either way; switched on again what was said meanwhile counts", async () => {
  let nowMs = 1_000;
  const phone = new Browser("phone", () => nowMs++);
  const laptop = new Machine("laptop");
  laptop.clock = () => nowMs;
  laptop.readers.add(phone);
  phone.set("everywhere", false);
  phone.meet(laptop, true);
  phone.set("order", "name");
  await laptop.ask({ sounds: { value: true, at_ms: nowMs, by: "desk" } });
  laptop.asked = [];
  await settle(phone);
  assert.deepEqual([phone.settings.get().sounds, laptop.asked], [false, []]);
  phone.set("everywhere", true);
  await settle(phone);
  assert.equal(phone.settings.get().sounds, true);
  assert.deepEqual(laptop.asked.map(Object.keys), [["order"]]);
});

test("settings, everywhere: with a machine at which this browser may only look nothing is shared", async () => {
  let nowMs = 1_000;
  const guest = new Browser("guest", () => nowMs++);
  const theirs = new Machine("theirs");
  theirs.readers.add(guest);
  guest.meet(theirs, true, ["view"]);
  await theirs.ask({ order: { value: "name", at_ms: 1, by: "its owner" } });
  theirs.asked = [];
  guest.set("sounds", true);
  await settle(guest);
  assert.deepEqual([guest.settings.get().order, theirs.asked], ["project", []]);
});

test("settings, everywhere: a machine that refuses is asked again with the next contact alone; the page's own is asked whenever somebody looks", async () => {
  let nowMs = 1_000;
  const phone = new Browser("phone", () => nowMs++);
  const laptop = new Machine("laptop");
  laptop.clock = () => nowMs;
  laptop.refuses = true;
  phone.set("order", "name");
  phone.meet(laptop, true);
  await settle(phone);
  phone.sync.hurry();
  await settle(phone);
  assert.equal(laptop.asked.length, 1);
  laptop.refuses = false;
  phone.meet(laptop, false);
  phone.meet(laptop, true);
  await settle(phone);
  assert.equal(laptop.settings.order?.value, "name");

  const local = new Machine("local");
  local.settings = { sounds: { value: true, at_ms: 5, by: "another browser" } };
  local.clock = () => nowMs;
  phone.meet(local, true, undefined);
  await settle(phone);
  assert.equal(phone.settings.get().sounds, true);
  local.settings = { ...local.settings, sounds: { value: false, at_ms: nowMs, by: "another browser" } };
  phone.sync.hurry();
  await settle(phone);
  assert.equal(phone.settings.get().sounds, false);
});

test("settings, everywhere: what a machine stamps far ahead is held against its person no longer than that machine is in the app", async () => {
  let nowMs = 1_000;
  const phone = new Browser("phone", () => nowMs++);
  const [laptop, stolen] = [new Machine("laptop"), new Machine("stolen")];
  laptop.clock = () => nowMs;
  stolen.clock = () => Number.MAX_SAFE_INTEGER;
  stolen.settings = { appearance: { value: "light", at_ms: Number.MAX_SAFE_INTEGER, by: "a thief" } };
  stolen.ask = async () => stolen.settings;
  for (const one of [laptop, stolen]) phone.meet(one, true);
  phone.hear(stolen.id, stolen.settings);
  await settle(phone);
  assert.equal(phone.settings.get().appearance, "light");
  assert.ok(phone.settings.fields().appearance!.at_ms <= nowMs + AHEAD_OF_BROWSER_MS_MAX);
  phone.set("appearance", "dark");
  await settle(phone); // also where it is held, nothing goes to and fro
  phone.part(stolen);
  phone.set("appearance", "dark");
  await settle(phone);
  assert.deepEqual([phone.settings.get().appearance, laptop.settings.appearance?.value], ["dark", "dark"]);
  assert.ok(phone.settings.fields().appearance!.at_ms <= nowMs + AHEAD_MS_MAX, "its stamp is forgotten as well");
});

test("settings, everywhere: whatever comes when, with clocks that are days apart, all come to the same and nothing goes to and fro", async () => {
  const orders = ["project", "name", "recent"] as const;
  const step = fc.record({
    browser: fc.nat(2),
    machine: fc.nat(1),
    act: fc.constantFrom("set", "come", "go", "restore", "pass"),
    value: fc.nat(2),
  });
  const aheads = fc.tuple(...Array.from({ length: 3 }, () => fc.integer({ min: -3, max: 3 })));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), aheads, async (steps, days) => {
      let nowMs = 1e12;
      const browsers = days.map((ahead, at) => {
        const one = new Browser(`browser ${at}`, () => nowMs);
        one.aheadMs = ahead * 86_400_000;
        return one;
      });
      const machines = [new Machine("laptop"), new Machine("studio")];
      for (const machine of machines) {
        machine.clock = () => nowMs;
        machine.onAsked = () => {
          nowMs += 10; // it takes its time
        };
        for (const one of browsers) {
          machine.readers.add(one);
          one.meet(machine, false);
        }
      }
      let backup: Settings = {};
      for (const { browser, machine, act, value } of steps) {
        nowMs += 1_000;
        const [one, other] = [browsers[browser]!, machines[machine]!];
        if (act === "set" && value === 0) one.set("defaultDirectory", `~/${nowMs}`);
        else if (act === "set") one.set("order", orders[value]!);
        else if (act === "pass") await settle(...browsers);
        else if (act === "restore") [other.settings, backup] = [backup, other.settings];
        else one.meet(other, act === "come");
      }
      for (const one of browsers)
        for (const machine of machines) {
          one.meet(machine, false);
          one.meet(machine, true);
        }
      await settle(...browsers);
      const [first] = browsers;
      for (const one of browsers) {
        assert.deepEqual(one.settings.get(), first!.settings.get());
      }
      nowMs += 1_000;
      browsers[1]!.set("sounds", true);
      await settle(...browsers);
      assert.ok(browsers.every(({ settings }) => settings.get().sounds));
    }),
    { numRuns: 200 },
  );
});
