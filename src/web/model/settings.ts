import type { Settings } from "../../protocol/settings.ts";

/**
 * What a person has chosen for the app: what each field means. Where each counts is in `shared-settings.ts`; how two copies of them become one is in `protocol/settings.ts`, since machines do it too.
 */
export interface SettingValues {
  appearance: "system" | "dark" | "light";
  /** A short tone when somebody begins to need you. */
  sounds: boolean;
  /** A notification of the system then, while the page is not seen. */
  notifications: boolean;
  /** Pixels; 0: by the width of the page. */
  terminalFontPx: number;
  /** Keys that a phone's keyboard lacks, below a terminal. */
  keyBar: "touch" | "always" | "never";
  /** What lets an agent do something asks once more. */
  confirmApprove: boolean;
  /** Where a new session begins; empty: the person's own directory. */
  defaultDirectory: string;
  order: "project" | "name" | "recent";
  /** What is the person's is the same on all their devices. */
  everywhere: boolean;
}
export type SettingName = keyof SettingValues;

export const DEFAULTS: SettingValues = {
  appearance: "system",
  sounds: false,
  notifications: false,
  terminalFontPx: 0,
  keyBar: "touch",
  confirmApprove: false,
  defaultDirectory: "",
  order: "project",
  everywhere: true,
};

export const FONT_PX = { least: 8, most: 28 } as const;
const DIRECTORY_CHARS_MAX = 1_000;

const oneOf =
  <T extends string>(...values: readonly T[]) =>
  (value: unknown): value is T =>
    values.includes(value as T);
const isFlag = (value: unknown): value is boolean => typeof value === "boolean";

const CHECKS: { readonly [N in SettingName]: (value: unknown) => value is SettingValues[N] } = {
  appearance: oneOf("system", "dark", "light"),
  sounds: isFlag,
  notifications: isFlag,
  terminalFontPx: (value): value is number =>
    value === 0 || (Number.isInteger(value) && (value as number) >= FONT_PX.least && (value as number) <= FONT_PX.most),
  keyBar: oneOf("touch", "always", "never"),
  confirmApprove: isFlag,
  defaultDirectory: (value): value is string => typeof value === "string" && value.length <= DIRECTORY_CHARS_MAX,
  order: oneOf("project", "name", "recent"),
  everywhere: isFlag,
};

/** What counts now: of a field that is missing, or that does not make sense here, the default. */
export function valuesOf(settings: Settings): SettingValues {
  const known = Object.entries(CHECKS).filter(([name, isGood]) => isGood(settings[name]?.value));
  return { ...DEFAULTS, ...Object.fromEntries(known.map(([name]) => [name, settings[name]!.value])) };
}

/** Later than whatever was set here before, also where the clock was put back. */
export function withSetting<N extends SettingName>(
  settings: Settings,
  { name, value, nowMs, by }: { name: N; value: SettingValues[N]; nowMs: number; by: string },
): Settings {
  const at_ms = Math.max(nowMs, (settings[name]?.at_ms ?? 0) + 1);
  return { ...settings, [name]: { value, at_ms, by } };
}
