import assert from "node:assert/strict";
import { test } from "node:test";
import { openSettings, type SettingsWorld } from "./settings-store.ts";

/** A browser with its tabs: what one writes the others are told of. */
function browser(): { tab: (nowMs: number) => SettingsWorld; tellAll: () => void; kept: Map<string, string> } {
  const kept = new Map<string, string>();
  const tabs: EventTarget[] = [];
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const tellAll = (): void => {
    for (const tab of tabs) tab.dispatchEvent(Object.assign(new Event("storage"), { key: "warren.settings" }));
  };
  const tab = (nowMs: number): SettingsWorld => {
    const events = new EventTarget();
    tabs.push(events);
    return { storage, events, nowMs: () => nowMs, randomId: () => "this browser" };
  };
  return { tab, tellAll, kept };
}

test("settings: two tabs that set different fields lose neither, and each sees the other's", () => {
  const { tab, tellAll } = browser();
  const one = openSettings(tab(10));
  const other = openSettings(tab(20));
  let told = 0;
  one.subscribe(() => told++);
  one.set("appearance", "dark");
  other.set("sounds", true);
  tellAll();
  for (const { appearance, sounds } of [one.get(), other.get(), openSettings(tab(30)).get()])
    assert.deepEqual([appearance, sounds], ["dark", true]);
  one.close();
  other.set("sounds", false);
  tellAll();
  assert.equal(one.get().sounds, true, "a tab that has gone listens no more");
});

test("settings: a browser that keeps nothing has them until the page goes", () => {
  const refusing = {
    getItem: () => {
      throw new DOMException("no", "SecurityError");
    },
    setItem: () => {
      throw new DOMException("full", "QuotaExceededError");
    },
  };
  const settings = openSettings({ storage: refusing, events: new EventTarget(), nowMs: () => 1, randomId: () => "x" });
  settings.set("order", "name");
  assert.equal(settings.get().order, "name");
});
