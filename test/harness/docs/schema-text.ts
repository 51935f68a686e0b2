import type * as z from "zod/mini";
import { type DocComments, formOf } from "./doc-comments.ts";

/** A schema as a reader of TypeScript would write it: fields, types, and what the source says of them. Shapes with a name are named, and stand by themselves. */
export interface SchemaText {
  comments: DocComments;
  names: ReadonlyMap<z.ZodMiniType, string>;
}

/** As far as it is drawn; zod's own type has a case for each of its kinds. */
interface Def {
  type: string;
  shape?: Record<string, z.ZodMiniType>;
  innerType?: z.ZodMiniType;
  element?: z.ZodMiniType;
  valueType?: z.ZodMiniType;
  options?: readonly z.ZodMiniType[];
  entries?: Record<string, string>;
  values?: readonly unknown[];
  format?: string;
}

const LINE_MAX = 110;

/** @param owner the message or shape whose comments the fields have */
export function schemaText(schema: z.ZodMiniType, owner: string, about: SchemaText, indent = ""): string {
  const name = about.names.get(schema);
  return name !== undefined && name !== owner ? name : written(schema, owner, about, indent);
}

function written(schema: z.ZodMiniType, owner: string, about: SchemaText, indent: string): string {
  const def = defOf(schema);
  const inner = (one: z.ZodMiniType) => schemaText(one, owner, about, indent);
  switch (def.type) {
    case "object":
      return objectText(def.shape!, owner, about, indent);
    case "array":
      return `${bracketed(inner(def.element!))}[]`;
    case "record":
      return `{ [key]: ${inner(def.valueType!)} }`;
    case "nullable":
      return `${inner(def.innerType!)} | null`;
    case "optional":
      return inner(def.innerType!);
    case "union":
      return unionText(def.options!, owner, about, indent);
    case "enum":
      return Object.values(def.entries!)
        .map((value) => JSON.stringify(value))
        .join(" | ");
    case "literal":
      return def.values!.map((value) => JSON.stringify(value)).join(" | ");
    case "number":
      return def.format === "safeint" ? "int" : "number";
    default:
      return def.type;
  }
}

function objectText(shape: Record<string, z.ZodMiniType>, owner: string, about: SchemaText, indent: string): string {
  const deeper = `${indent}  `;
  const fields = Object.entries(shape).map(([key, schema]) => {
    const isOptional = defOf(schema).type === "optional";
    return {
      comment: about.comments.ofField(owner, key),
      text: `${key}${isOptional ? "?" : ""}: ${schemaText(schema, owner, about, deeper)}`,
    };
  });
  if (fields.length === 0) return "{}";
  const line = `{ ${fields.map(({ text }) => text).join(", ")} }`;
  const isShort = indent.length + line.length <= LINE_MAX && !line.includes("\n");
  if (isShort && fields.every(({ comment }) => comment === undefined)) return line;
  const lines = fields.map(({ comment, text }) => `${commentText(comment, deeper)}${deeper}${text}\n`);
  return `{\n${lines.join("")}${indent}}`;
}

function unionText(options: readonly z.ZodMiniType[], owner: string, about: SchemaText, indent: string): string {
  const forms = options.map((option, index) => ({
    text: schemaText(option, formOf(owner, index), about, `${indent}  `),
    comment: about.comments.of(formOf(owner, index)),
  }));
  const line = forms.map(({ text }) => text).join(" | ");
  const isShort = indent.length + line.length <= LINE_MAX && !line.includes("\n");
  if (isShort && forms.every(({ comment }) => comment === undefined)) return line;
  return forms.map(({ text, comment }) => `\n${commentText(comment, indent)}${indent}| ${text}`).join("");
}

const defOf = (schema: z.ZodMiniType): Def => schema._zod.def as unknown as Def;
const bracketed = (text: string): string => (/ \| |^\n/.test(text) && !text.startsWith("{") ? `(${text})` : text);
const commentText = (comment: string | undefined, indent: string): string =>
  comment === undefined ? "" : `${indent}// ${comment}\n`;
