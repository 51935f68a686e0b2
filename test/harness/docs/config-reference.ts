import { type Field, phraseOf, type RecordField } from "../../../src/config/field.ts";
import { DEPLOYMENT_FIELDS } from "../../../src/config/gateway/deployment-fields.ts";
import { WORKER_FIELDS } from "../../../src/config/gateway/worker-fields.ts";
import { HOME_FIELDS } from "../../../src/config/home-config.ts";
import { PROJECT_FIELDS } from "../../../src/config/project-fields.ts";

/** What docs/configuration.md says of each file: made from the tables that check them, a row for each key. */

const FILES: readonly (readonly [title: string, about: string, table: RecordField])[] = [
  ["warren.yaml", "In a project's folder. Schema: [warren.schema.json](../warren.schema.json).", PROJECT_FIELDS],
  [
    "worker.yaml",
    "In `workers/<name>/`. Schema: [worker.schema.json](../worker.schema.json). Keys of TQServer's stand among ours.",
    WORKER_FIELDS,
  ],
  [
    "config/deployment.yaml",
    "What `warren gateway deploy` reads. Schema: [deployment.schema.json](../deployment.schema.json).",
    DEPLOYMENT_FIELDS,
  ],
  ["config.yaml", "In the home (`~/.warren`): what holds for all your projects.", HOME_FIELDS],
];

export function configReference(): string {
  return FILES.map(([title, about, table]) => `\n## ${title}\n\n${about}\n\n${tableOf(table)}\n`).join("");
}

const tableOf = (table: RecordField): string =>
  ["| key | takes | default | |", "|---|---|---|---|", ...rowsOf(table, "")].join("\n");

function rowsOf(record: RecordField, path: string): string[] {
  const { fields, required = [], exactlyOne, atMostOne } = record;
  const rows = Object.entries(fields).flatMap(([key, field]) => {
    const { description, default: fallback } = describedBy(field);
    const about = [
      description,
      required.includes(key) ? "Has to be there." : undefined,
      exactlyOne?.includes(key) ? `One of ${quoted(exactlyOne)}, and no second.` : undefined,
      atMostOne?.includes(key) ? `At most one of ${quoted(atMostOne)}.` : undefined,
    ];
    const cells = [
      `\`${path}${key}\``,
      takes(field),
      fallback === undefined || fallback === null ? "" : `\`${fallback}\``,
      about.filter((text) => text !== undefined).join(" "),
    ];
    return [`| ${cells.map(cell).join(" | ")} |`, ...within(field, `${path}${key}`)];
  });
  return rows;
}

/** The rows of the keys inside a value. */
function within(field: Field, path: string): string[] {
  switch (field.kind) {
    case "record":
      return rowsOf(field, `${path}.`);
    case "map":
      return within(field.value, `${path}.<name>`);
    case "list":
      return within(field.item, `${path}[]`);
    case "either":
      return field.forms.flatMap((form) => within(form, path));
    default:
      return [];
  }
}

/** A form may say what the whole does not. */
function describedBy(field: Field): Pick<Field, "description" | "default"> {
  const inner = field.kind === "either" ? field.forms.find(({ description }) => description !== undefined) : undefined;
  const [description, fallback] = [field.description ?? inner?.description, field.default ?? inner?.default];
  return { ...(description !== undefined && { description }), ...(fallback !== undefined && { default: fallback }) };
}

function takes(field: Field): string {
  switch (field.kind) {
    case "text":
      return field.format === "regex" ? "a regular expression" : phraseOf(field).replace(/: .*/, "");
    case "choice":
      return field.choices.map((choice) => `\`${choice}\``).join(" ");
    case "whole":
      return field.max >= 1_000_000 ? `a whole number from ${field.min}` : `${field.min} to ${field.max}`;
    case "duration":
      return "a duration";
    case "size":
      return "a size";
    case "nothing":
      return "";
    case "list":
      return `a list${of(field.item)}`;
    case "map":
      return `a map${of(field.value)}`;
    case "record":
      return "a map";
    case "either":
      return eitherOf(field.forms);
    default:
      return phraseOf(field);
  }
}

/** What may stand alone or in a list is said once. */
function eitherOf(forms: readonly Field[]): string {
  const single = forms.filter(({ kind }) => kind !== "nothing" && kind !== "list").map(takes);
  const lists = forms
    .filter((form) => form.kind === "list")
    .map((form) => (single.includes(takes(form.item)) ? "a list of them" : takes(form)));
  return [...new Set([...single, ...lists])].join(", or ");
}

const of = (item: Field): string => {
  const inner = takes(item);
  return inner === "a map" || inner === "" ? " of maps" : `: ${inner}`;
};

const quoted = (keys: readonly string[]): string => keys.map((key) => `\`${key}\``).join(", ");
/** `|` would end the cell. */
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
