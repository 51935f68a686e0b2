import type { Field, RecordField } from "../field.ts";

/** JSON Schema (draft 2020-12) of a table of fields, for editors. The repository's *.schema.json are made from them; a test compares. */

export type JsonSchema = { [keyword: string]: unknown };

/** As `parseDuration` and `parseBytes` read them; the order of units and the limits are the validator's to check. */
const DURATION_PATTERN = "^\\s*(\\d+(\\.\\d+)?|(\\d+(\\.\\d+)?(d|h|ms|m|s))+)\\s*$";
const SIZE_PATTERN = "^\\s*\\d+(\\.\\d+)?\\s*[kKmMgGtTpP]?[iI]?[bB]?\\s*$";

export function toJsonSchema(root: RecordField, title: string): JsonSchema {
  return { $schema: "https://json-schema.org/draft/2020-12/schema", title, ...schemaOf(root) };
}

function schemaOf(field: Field): JsonSchema {
  return {
    ...(field.description !== undefined && { description: field.description }),
    ...(field.default !== undefined && { default: field.default }),
    ...formOf(field),
  };
}

function formOf(field: Field): JsonSchema {
  switch (field.kind) {
    case "text":
      return {
        type: "string",
        minLength: 1,
        ...optional("pattern", field.pattern),
        ...optional("format", field.format),
      };
    case "scalar":
      return { type: ["string", "number", "boolean"] };
    case "choice":
      return { enum: field.choices };
    case "flag":
      return { type: "boolean" };
    case "yes":
      return { const: true };
    case "whole":
      return { type: "integer", minimum: field.min, maximum: field.max };
    case "duration":
      return {
        anyOf: [
          { type: "string", pattern: DURATION_PATTERN },
          { type: "number", minimum: 0 },
        ],
      };
    case "size":
      return {
        anyOf: [
          { type: "string", pattern: SIZE_PATTERN },
          { type: "integer", minimum: 0 },
        ],
      };
    case "nothing":
      return { type: "null" };
    case "any":
      return {};
    case "list":
      return { type: listType(field.minItems), items: schemaOf(field.item), ...optional("minItems", field.minItems) };
    case "map":
      return {
        type: ["object", "null"],
        propertyNames: { pattern: field.keyPattern },
        additionalProperties: schemaOf(field.value),
      };
    case "record":
      return recordSchema(field);
    case "either":
      return { anyOf: field.forms.map(schemaOf) };
  }
}

function recordSchema({ fields, required, exactlyOne, atMostOne }: RecordField): JsonSchema {
  const mayBeEmpty = required === undefined && exactlyOne === undefined;
  return {
    type: mayBeEmpty ? ["object", "null"] : "object",
    properties: Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, schemaOf(field)])),
    ...optional("required", required),
    additionalProperties: false,
    ...(exactlyOne !== undefined && { oneOf: exactlyOne.map((key) => ({ required: [key] })) }),
    ...(atMostOne !== undefined && { not: { required: atMostOne } }),
  };
}

/** Nothing written is an empty list, where one may be empty. */
const listType = (minItems = 0): string | string[] => (minItems > 0 ? "array" : ["array", "null"]);

const optional = (keyword: string, value: unknown): JsonSchema => (value === undefined ? {} : { [keyword]: value });
