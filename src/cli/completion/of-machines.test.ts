import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleJob } from "../testing/sample-job.ts";
import type { Live } from "./candidates.ts";
import { completeAny } from "./of-machines.ts";

const liveWith = (name: string): Live => ({
  jobs: async () => [sampleJob({ name, id: `1${name}` })],
  serverNames: () => [],
  sessionNames: async () => [`${name}-session`],
  workers: async () => [],
  savedSessionNames: async () => [],
  projectJobNames: async () => [],
  participantNames: async () => [],
});

async function texts(...words: string[]): Promise<string[]> {
  const completion = await completeAny(words, liveWith("here"), {
    names: () => ["laptop", "desk"],
    liveOn: async (name) => liveWith(`on-${name}`),
  });
  return completion.kind === "candidates" ? completion.candidates.map(({ text }) => text) : [`:${completion.kind}`];
}

test("--on: the machines that this one may steer", async () => {
  assert.deepEqual(await texts("--o"), ["--on"]);
  assert.deepEqual(await texts("--on", ""), ["laptop", "desk"]);
  assert.deepEqual(await texts("--on", "d"), ["desk"]);
  assert.deepEqual(await texts("--on=la"), ["--on=laptop"]);
});

test("behind --on: the verbs that can be asked there, and that machine's names", async () => {
  const verbs = await texts("--on", "laptop", "");
  assert.ok(verbs.includes("stop") && verbs.includes("mail") && !verbs.includes("up") && !verbs.includes("nuke"));
  assert.deepEqual(await texts("--on", "laptop", "stop", ""), ["on-laptop", "1on-laptop", "on-laptop-session"]);
  assert.deepEqual(await texts("--on=desk", "attach", ""), ["on-desk-session"]);
  assert.deepEqual(await texts("stop", ""), ["here", "1here", "here-session"]);
});

test("behind the @ of a unit: machines, whole or as bash cuts the word", async () => {
  assert.deepEqual(await texts("stop", "web@"), ["web@laptop", "web@desk"]);
  assert.deepEqual(await texts("attach", "fox@l"), ["fox@laptop"]);
  assert.deepEqual(await texts("attach", "fox", "@", "l"), ["laptop"]);
  assert.deepEqual(await texts("attach", "fox", "@"), ["laptop", "desk"]);
  assert.deepEqual(await texts("up", "web@"), []);
});
