import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { AHEAD_MS_MAX, areSame, bounded, mergeSettings, readSettings, type Settings } from "../protocol/settings.ts";
import { Kept } from "./records/kept.ts";
import type { RemoteStore } from "./store.ts";

/**
 * The app's settings as this machine has them: where the devices of one person meet, each of which brings what it has set and takes what others have. They mean nothing to the machine.
 *
 * 1. What has been answered is on disk. 2. What says nothing new writes nothing, and tells nobody.
 */
export interface KeptSettingsOptions {
  store: RemoteStore;
  clock: Clock;
  log: Log;
}

interface SettingsFile {
  format: 1;
  oldest_reader: 1;
  settings: Settings;
}

const FILE = "settings.json";

export class KeptSettings {
  readonly #clock: Clock;
  readonly #file: Kept<SettingsFile>;
  /** After each change, once it is on disk. */
  onChanged: () => void = () => {};

  /** Of a file that cannot be read nothing is lost but what no device has any more. */
  static async open({ store, clock, log }: KeptSettingsOptions): Promise<KeptSettings> {
    const text = await store.read(FILE);
    const settings = text ? settingsIn(text, clock.wallMs()) : {};
    if (!settings) log.warn("settings_begin_anew", { file: store.pathOf(FILE) });
    const file: SettingsFile = { format: 1, oldest_reader: 1, settings: settings ?? {} };
    return new KeptSettings(clock, new Kept(store, FILE, file));
  }

  private constructor(clock: Clock, file: Kept<SettingsFile>) {
    this.#clock = clock;
    this.#file = file;
  }

  get now(): Settings {
    return this.#file.now.settings;
  }

  /** Of each field the one set last. Resolves with all of them, when they are on disk. */
  async merge(said: Settings): Promise<Settings> {
    const isChanged = await this.#file.change((draft) => {
      const merged = bounded(mergeSettings(draft.settings, readSettings(said, this.#clock.wallMs() + AHEAD_MS_MAX)));
      if (areSame(merged, draft.settings)) return false;
      draft.settings = merged;
      return true;
    });
    if (isChanged) this.onChanged();
    return this.now;
  }
}

/** Undefined: it is no such file, or of a newer Warren. */
function settingsIn(text: string, nowMs: number): Settings | undefined {
  try {
    const file = JSON.parse(text) as SettingsFile;
    return file.oldest_reader === 1 ? readSettings(file.settings, nowMs + AHEAD_MS_MAX) : undefined;
  } catch {
    return undefined;
  }
}
