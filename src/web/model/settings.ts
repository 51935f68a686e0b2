/**
 * What a person has chosen for the app. Each field carries when it was set, and by which browser, so that two copies of the settings become one without asking anybody: of each field the one
 * set last counts, by (wall milliseconds, browser). That is the same in whatever order copies meet, and however often. Kept in this browser; nothing of it is sent anywhere.
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
}
export type SettingName = keyof SettingValues;

export interface SetField {
  value: unknown;
  atMs: number;
  /** Of the browser that set it: random, and the same for as long as it keeps its settings. */
  by: string;
}

/** By name. What nobody has set is not there; what a newer app has set is kept, though not understood. */
export type Settings = Readonly<Record<string, SetField>>;

export const DEFAULTS: SettingValues = {
  appearance: "system",
  sounds: false,
  notifications: false,
  terminalFontPx: 0,
  keyBar: "touch",
  confirmApprove: false,
  defaultDirectory: "",
  order: "project",
};

export const FONT_PX = { least: 8, most: 28 } as const;
const DIRECTORY_CHARS_MAX = 1_000;
/** Fields of newer apps that are kept; and what one may hold. */
const FIELDS_MAX = 100;
const NAME_CHARS_MAX = 60;
const FIELD_CHARS_MAX = 4_000;
/** A clock that runs ahead would win for so long: what is set from further in the future is taken as if it were set now. */
const AHEAD_MS_MAX = 24 * 60 * 60 * 1_000;

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
  const atMs = Math.max(nowMs, (settings[name]?.atMs ?? 0) + 1);
  return { ...settings, [name]: { value, atMs, by } };
}

/** Field by field; see the head of this file. */
export function mergeSettings(one: Settings, other: Settings): Settings {
  const merged: Record<string, SetField> = { ...one };
  for (const [name, field] of Object.entries(other)) {
    const known = merged[name];
    if (known === undefined || isLater(field, known)) merged[name] = field;
  }
  return merged;
}

/** Of a copy as it was kept, by this app or another: what has not the form of a setting is left out. */
export function readSettings(text: string | null, nowMs: number): Settings {
  let found: unknown;
  try {
    found = JSON.parse(text ?? "{}");
  } catch {
    return {};
  }
  if (typeof found !== "object" || found === null || Array.isArray(found)) return {};
  const fields = Object.entries(found)
    .filter((entry): entry is [string, SetField] => isField(...entry))
    .slice(0, FIELDS_MAX)
    .map(([name, { value, atMs, by }]) => [name, { value, atMs: atMs > nowMs + AHEAD_MS_MAX ? nowMs : atMs, by }]);
  return Object.fromEntries(fields) as Settings;
}

export const textOfSettings = (settings: Settings): string => JSON.stringify(settings);

function isField(name: string, field: unknown): boolean {
  const { value, atMs, by } = (field ?? {}) as Partial<SetField>;
  return (
    name.length <= NAME_CHARS_MAX &&
    name !== "__proto__" &&
    value !== undefined &&
    JSON.stringify(value).length <= FIELD_CHARS_MAX &&
    Number.isSafeInteger(atMs) &&
    atMs! >= 0 &&
    typeof by === "string" &&
    by.length <= NAME_CHARS_MAX
  );
}

/** Two values that one browser set in the same millisecond: the larger text, so that it is the same everywhere. */
function isLater(a: SetField, b: SetField): boolean {
  if (a.atMs !== b.atMs) return a.atMs > b.atMs;
  if (a.by !== b.by) return a.by > b.by;
  return JSON.stringify(a.value) > JSON.stringify(b.value);
}
