import { areSame, mergeSettings, parseSettings, type Settings } from "../../protocol/settings.ts";
import { type SettingName, type SettingValues, valuesOf, withSetting } from "../model/settings.ts";
import { Store } from "./store.ts";

/**
 * The settings as this browser has them, in its own storage; other tabs of it say what they have set, and each keeps what was set last. A browser that keeps nothing (a private window) has them
 * until the page goes.
 */
export interface SettingsStore {
  get(): SettingValues;
  /** With when and by whom each was set. */
  fields(): Settings;
  subscribe(listener: () => void): () => void;
  set<N extends SettingName>(name: N, value: SettingValues[N]): void;
  /** What others have set becomes part of them. @param change of all that is set, with what other tabs have written */
  change(change: (now: Settings) => Settings): void;
  close(): void;
}

export interface SettingsWorld {
  storage: Pick<Storage, "getItem" | "setItem">;
  /** Where the browser tells of other tabs' changes. */
  events: Pick<EventTarget, "addEventListener" | "removeEventListener">;
  nowMs: () => number;
  randomId: () => string;
}

const KEY = "warren.settings";
const BROWSER_KEY = "warren.browser";

export function openSettings({ storage, events, nowMs, randomId }: SettingsWorld): SettingsStore {
  const read = (): Settings =>
    parseSettings(
      quietly(() => storage.getItem(KEY)),
      nowMs(),
    );
  const write = (settings: Settings): void => void quietly(() => storage.setItem(KEY, JSON.stringify(settings)));
  const by = browserId(storage, randomId);
  const store = new Store<Kept, Settings>(keptOf(read()), (kept, next) =>
    areSame(kept.settings, next) ? kept : keptOf(next),
  );
  /** With what another tab has written, which this one may not have been told of yet. */
  const now = (): Settings => mergeSettings(store.get().settings, read());
  const change = (how: (now: Settings) => Settings): void => {
    const before = now();
    const next = how(before);
    store.dispatch(next);
    if (!areSame(before, next)) write(next);
  };
  const onStorage = (event: Event): void => {
    if ((event as StorageEvent).key === KEY) store.dispatch(now());
  };
  events.addEventListener("storage", onStorage);
  return {
    get: () => store.get().values,
    subscribe: store.subscribe,
    fields: () => store.get().settings,
    change,
    set: (name, value) => change((before) => withSetting(before, { name, value, nowMs: nowMs(), by })),
    close: () => events.removeEventListener("storage", onStorage),
  };
}

interface Kept {
  settings: Settings;
  values: SettingValues;
}
const keptOf = (settings: Settings): Kept => ({ settings, values: valuesOf(settings) });

function browserId(storage: SettingsWorld["storage"], randomId: () => string): string {
  const known = quietly(() => storage.getItem(BROWSER_KEY));
  if (known) return known;
  const fresh = randomId();
  quietly(() => storage.setItem(BROWSER_KEY, fresh));
  return fresh;
}

/** Storage that is refused or full is as if it were empty. */
function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
