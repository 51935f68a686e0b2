/**
 * What a person has chosen for the app, as browsers and machines pass it on. Each field carries when it was set, and by which browser, so that two copies become one without asking anybody: of
 * each field the one set last counts, by (wall milliseconds, browser). That is the same in whatever order copies meet, and however often. What a field means is the app's; here it has a form. Without zod: it is part of what a page loads first.
 */
export interface SetField {
  value: unknown;
  /** Milliseconds since 1970, by the clock of the browser that set it. */
  at_ms: number;
  /** Of the browser that set it: random, and the same for as long as it keeps its settings. */
  by: string;
}

/** By name. What nobody has set is not there; what a newer app has set is kept, though not understood. */
export type Settings = Readonly<Record<string, SetField>>;

/** Past these the fields that were set longest ago are left out, and one that is too large alone. */
export const SETTINGS_MAX = {
  fields: 100,
  nameChars: 60,
  /** Of a field's value as JSON. */
  valueBytes: 4_000,
  /** Of all fields as JSON: they fit one sealed record. */
  bytes: 60_000,
};
const DAY_MS = 24 * 60 * 60 * 1_000;
/** As far ahead of a machine's clock a field may be that it takes; one that says more counts as if it said that, so that no clock wins for longer. */
export const AHEAD_MS_MAX = DAY_MS;
/**
 * The same for a browser, which takes what machines say. More, since its own clock may be the one that is wrong: what two machines say, read one after the other, would change places by when it
 * was read.
 */
export const AHEAD_OF_BROWSER_MS_MAX = 60 * DAY_MS;

/** Field by field; see the head of this file. */
export function mergeSettings(one: Settings, other: Settings): Settings {
  const merged: Record<string, SetField> = { ...one };
  for (const [name, field] of Object.entries(other)) {
    const known = merged[name];
    if (known === undefined || isLater(field, known)) merged[name] = field;
  }
  return merged;
}

/** What `one` has that was set later than what `other` has. The same as another clock has stamped it is no news: else two readers would tell it each other for ever. */
export const newerIn = (one: Settings, other: Settings): Settings =>
  Object.fromEntries(
    Object.entries(one).filter(([name, field]) => {
      const known = other[name];
      return known === undefined || (isLater(field, known) && !isSameSet(field, known));
    }),
  );

/** Of what somebody says they are: what has not the form of a setting is left out, and what is too much of it. @param latestMs a field that says more counts as if it said that */
export function readSettings(said: unknown, latestMs: number): Settings {
  if (typeof said !== "object" || said === null || Array.isArray(said)) return {};
  const fields = Object.entries(said)
    .filter((entry): entry is [string, SetField] => isField(...entry))
    .map(([name, { value, at_ms, by }]): [string, SetField] => [name, { value, at_ms: Math.min(at_ms, latestMs), by }]);
  return bounded(Object.fromEntries(fields));
}

/** As a browser keeps them; what is no JSON is nothing. @param nowMs by its clock */
export function parseSettings(text: string | null | undefined, nowMs: number): Settings {
  try {
    return readSettings(JSON.parse(text ?? "{}"), nowMs + AHEAD_OF_BROWSER_MS_MAX);
  } catch {
    return {};
  }
}

/** Two that say the same, in whatever order their fields stand. */
export const areSame = (one: Settings, other: Settings): boolean =>
  Object.keys({ ...one, ...other }).every(
    (name) => one[name] && other[name] && !isLater(one[name], other[name]) && !isLater(other[name], one[name]),
  );

/** Within {@link SETTINGS_MAX}; the same for the same fields, whatever order they stand in. */
export function bounded(settings: Settings): Settings {
  const latestFirst = Object.entries(settings).sort(
    ([nameA, a], [nameB, b]) => b.at_ms - a.at_ms || (nameA < nameB ? -1 : 1),
  );
  const kept: [string, SetField][] = [];
  let bytes = 2;
  for (const entry of latestFirst) {
    bytes += bytesOf(Object.fromEntries([entry]));
    if (kept.length === SETTINGS_MAX.fields || bytes > SETTINGS_MAX.bytes) break;
    kept.push(entry);
  }
  return kept.length === latestFirst.length ? settings : Object.fromEntries(kept);
}

/** Not one by a name that every object has, such as `constructor`. */
function isField(name: string, field: unknown): boolean {
  const { value, at_ms, by } = (field ?? {}) as Partial<SetField>;
  return (
    name.length <= SETTINGS_MAX.nameChars &&
    !(name in {}) &&
    value !== undefined &&
    bytesOf(value) <= SETTINGS_MAX.valueBytes &&
    Number.isSafeInteger(at_ms) &&
    at_ms! >= 0 &&
    typeof by === "string" &&
    by.length <= SETTINGS_MAX.nameChars
  );
}

const isSameSet = (a: SetField, b: SetField): boolean =>
  a.by === b.by && JSON.stringify(a.value) === JSON.stringify(b.value);

/** Two values that one browser set in the same millisecond: the larger text, so that it is the same everywhere. */
function isLater(a: SetField, b: SetField): boolean {
  if (a.at_ms !== b.at_ms) return a.at_ms > b.at_ms;
  if (a.by !== b.by) return a.by > b.by;
  return JSON.stringify(a.value) > JSON.stringify(b.value);
}

const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;
