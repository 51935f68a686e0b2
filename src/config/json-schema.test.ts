import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { toJsonSchema } from "./json-schema.ts";
import { PROJECT_FIELDS } from "./project-fields.ts";

const committed = new URL("../../warren.schema.json", import.meta.url);
const generated = toJsonSchema(PROJECT_FIELDS, "warren.yaml");

test("warren.schema.json is what the table of fields makes", async () => {
  // Run with WARREN_UPDATE_SCHEMA=1 to write it.
  if (process.env.WARREN_UPDATE_SCHEMA === "1") await writeFile(committed, `${JSON.stringify(generated, null, 2)}\n`);
  const text = await readFile(committed, "utf8");
  assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(generated)), "WARREN_UPDATE_SCHEMA=1 writes it anew");
});

test("schema: every key of a job is described, and no other is allowed", () => {
  const job = PROJECT_FIELDS.fields.jobs.value;
  for (const [key, field] of Object.entries(job.fields)) assert.ok(field.description, key);
  const jobs = (generated.properties as Record<string, { additionalProperties: { additionalProperties: boolean } }>)
    .jobs;
  assert.equal(jobs?.additionalProperties.additionalProperties, false);
});

test("schema: `exactlyOne` and `atMostOne` are said", () => {
  const text = JSON.stringify(generated);
  assert.match(text, /"oneOf":\[\{"required":\["port"\]\}/);
  assert.match(text, /"not":\{"required":\["after","depends_on"\]\}/);
});
