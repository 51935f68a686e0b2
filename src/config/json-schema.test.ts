import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import type { RecordField } from "./field.ts";
import { DEPLOYMENT_FIELDS } from "./gateway/deployment-fields.ts";
import { WORKER_FIELDS } from "./gateway/worker-fields.ts";
import { PROJECT_FIELDS } from "./project-fields.ts";
import { toJsonSchema } from "./testing/json-schema.ts";

const generated = toJsonSchema(PROJECT_FIELDS, "warren.yaml");
const TABLES: readonly (readonly [name: string, table: RecordField])[] = [
  ["warren", PROJECT_FIELDS],
  ["worker", WORKER_FIELDS],
  ["deployment", DEPLOYMENT_FIELDS],
];

for (const [name, table] of TABLES) {
  test(`${name}.schema.json is what the table of fields makes`, async () => {
    const committed = new URL(`../../${name}.schema.json`, import.meta.url);
    const schema = toJsonSchema(table, `${name}.yaml`);
    // Run with WARREN_UPDATE_SCHEMA=1 to write it.
    if (process.env.WARREN_UPDATE_SCHEMA === "1") await writeFile(committed, `${JSON.stringify(schema, null, 2)}\n`);
    const text = await readFile(committed, "utf8");
    assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(schema)), "WARREN_UPDATE_SCHEMA=1 writes it anew");
  });
}

test("schema: every key of a worker, of the gateway and of its parts is described", () => {
  const records: readonly RecordField[] = [WORKER_FIELDS, WORKER_FIELDS.fields.health, PROJECT_FIELDS.fields.gateway];
  for (const { fields } of records)
    for (const [key, field] of Object.entries(fields)) assert.ok(field.description, key);
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
