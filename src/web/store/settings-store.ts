import {
  mergeSettings,
  readSettings,
  type SettingName,
  type Settings,
  type SettingValues,
  textOfSettings,
  valuesOf,
  withSetting,
} from "../model/settings.ts";
import { Store } from "./store.ts";

/**
 * The settings of this browser, in its own storage; other tabs of it say what they have set, and each keeps what was set last. A browser that keeps nothing (a private window) has them
 * until the page goes.
 */
export interface SettingsStore {
  get(): SettingValues;
  subscribe(listener: () => void): () => void;
  set<N extends SettingName>(name: N, value: SettingValues[N]): void;
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
  const read = (): Settings => readSettings(quietly(() => storage.getItem(KEY)) ?? null, nowMs());
  const write = (settings: Settings): void => void quietly(() => storage.setItem(KEY, textOfSettings(settings)));
  const by = browserId(storage, randomId);
  const store = new Store<Kept, Settings>(keptOf(read()), ({ settings }, other) =>
    keptOf(mergeSettings(settings, other)),
  );
  const onStorage = (event: Event): void => {
    if ((event as StorageEvent).key === KEY) store.dispatch(read());
  };
  events.addEventListener("storage", onStorage);
  return {
    get: () => store.get().values,
    subscribe: store.subscribe,
    set: (name, value) => {
      // With what another tab has just written, which this one may not have been told of yet.
      const now = mergeSettings(store.get().settings, read());
      const next = withSetting(now, { name, value, nowMs: nowMs(), by });
      store.dispatch(next);
      write(next);
    },
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
