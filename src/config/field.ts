/**
 * The description of a configuration file, as data. One table says what a file may hold; `check.ts` validates with it, `testing/json-schema.ts` makes
 * the schema for editors from it, and the type of the checked value is inferred from it, so that the three cannot disagree.
 */

interface Described {
  /** One sentence for the reader of an editor's tooltip. */
  description?: string;
  /** What holds when the key is absent, as one would write it. */
  default?: string | number | boolean | null;
}

export interface TextField extends Described {
  kind: "text";
  /** Source of a regular expression that the text must match; `expected` then says so in words. */
  pattern?: string;
  expected?: string;
  /** The text is itself a regular expression. */
  format?: "regex";
}
/** A text, number or boolean, taken as it was written (`1.10` stays "1.10"). */
export interface ScalarField extends Described {
  kind: "scalar";
}
export interface ChoiceField<T extends string = string> extends Described {
  kind: "choice";
  choices: readonly T[];
}
export interface FlagField extends Described {
  kind: "flag";
}
/** Only `true`: a key whose presence says it all. */
export interface YesField extends Described {
  kind: "yes";
}
export interface WholeField extends Described {
  kind: "whole";
  min: number;
  max: number;
}
/** `30s`, `1.5m`, a bare number of seconds; milliseconds once checked. */
export interface DurationField extends Described {
  kind: "duration";
  minMs?: number;
}
/** `64MB`, a bare number of bytes; bytes once checked. */
export interface SizeField extends Described {
  kind: "size";
}
export interface NothingField extends Described {
  kind: "nothing";
}
/** Taken as it stands and not looked at: for what another tool's file says and we do not do. */
export interface AnyField extends Described {
  kind: "any";
}
export interface ListField<F extends Field = Field> extends Described {
  kind: "list";
  item: F;
  minItems?: number;
}
/** Keys of the writer's choice, one kind of value. */
export interface MapField<F extends Field = Field> extends Described {
  kind: "map";
  keyPattern: string;
  keyExpected: string;
  value: F;
}
/** Known keys. */
export interface RecordField<S extends Fields = Fields, R extends string = string> extends Described {
  kind: "record";
  fields: S;
  required?: readonly R[];
  /** One of these must be there, and no second. */
  exactlyOne?: readonly string[];
  /** Two words for one thing: at most one of them. */
  atMostOne?: readonly string[];
  /** What other tools call our keys, for the suggestion. */
  foreign?: Readonly<Record<string, string>>;
}
/** One of several forms, told apart by what is written (a text, a list, a map, …). */
export interface EitherField<A extends readonly Field[] = readonly Field[]> extends Described {
  kind: "either";
  forms: A;
}

export type Field =
  | TextField
  | ScalarField
  | ChoiceField
  | FlagField
  | YesField
  | WholeField
  | DurationField
  | SizeField
  | NothingField
  | AnyField
  | ListField
  | MapField
  | RecordField
  | EitherField;
export type Fields = Readonly<Record<string, Field>>;

type RequiredOf<F> = F extends { required: readonly (infer R)[] } ? R : never;

/** The type of a checked value. */
export type ValueOf<F> = F extends { kind: "text" | "scalar" }
  ? string
  : F extends { kind: "choice"; choices: readonly (infer T)[] }
    ? T
    : F extends { kind: "flag" }
      ? boolean
      : F extends { kind: "yes" }
        ? true
        : F extends { kind: "whole" | "duration" | "size" }
          ? number
          : F extends { kind: "nothing" }
            ? null
            : F extends { kind: "any" }
              ? unknown
              : F extends { kind: "list"; item: infer I }
                ? ValueOf<I>[]
                : F extends { kind: "map"; value: infer V }
                  ? Map<string, ValueOf<V>>
                  : F extends { kind: "either"; forms: readonly (infer A)[] }
                    ? ValueOf<A>
                    : F extends { kind: "record"; fields: infer S }
                      ? { [K in keyof S as K extends RequiredOf<F> ? K : never]: ValueOf<S[K]> } & {
                          [K in keyof S as K extends RequiredOf<F> ? never : K]?: ValueOf<S[K]>;
                        }
                      : never;

/** What the field wants, to stand after "must be". */
export function phraseOf(field: Field): string {
  switch (field.kind) {
    case "text":
      return field.expected ?? "a text";
    case "scalar":
      return "a text, a number, true or false";
    case "choice":
      return field.choices.length === 1 ? `"${field.choices[0]}"` : `one of ${field.choices.join(", ")}`;
    case "flag":
      return "true or false";
    case "yes":
      return "true";
    case "whole":
      return `a whole number from ${field.min} to ${field.max}`;
    case "duration":
      return "a duration such as 30s, 1.5m or 2h30m";
    case "size":
      return "a size such as 64MB or a number of bytes";
    case "nothing":
      return "null";
    case "any":
      return "anything";
    case "list":
      return "a list";
    case "map":
    case "record":
      return "a map";
    case "either":
      return field.forms.map(phraseOf).join(" or ");
  }
}
