import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleJob } from "../testing/sample-job.ts";
import { complete, type Live } from "./candidates.ts";

const live: Live = {
  jobs: async () => [
    sampleJob({ name: "web" }),
    sampleJob({ id: "7ab", run_id: "7ab-2", status: "stopped", state: "ended", command: ["npm", "test"] }),
  ],
  serverNames: () => ["blazing", "frozen"],
  sessionNames: () => ["fox"],
  workers: async () => [],
  savedSessionNames: async () => ["owl"],
  projectJobNames: async () => ["web", "db"],
  participantNames: async () => ["fox", "owl"],
};
const texts = async (...words: string[]): Promise<string[]> => {
  const completion = await complete(words, live);
  return completion.kind === "candidates" ? completion.candidates.map(({ text }) => text) : [`:${completion.kind}`];
};

test("verbs, without the hidden ones", async () => {
  assert.deepEqual(await texts("res"), ["restart", "resume"]);
  assert.deepEqual(await texts("__"), []);
});

test("a unit that the verb can do something with", async () => {
  assert.deepEqual(await texts("stop", ""), ["web", "4xc", "fox"]);
  assert.deepEqual(await texts("start", ""), ["7ab"]);
  assert.deepEqual(await texts("logs", "w"), ["web"]);
  assert.deepEqual(await texts("logs", "web", ""), []);
  assert.deepEqual(await texts("runs", "delete", ""), ["4xc-1", "7ab-2"]);
});

test("flags and their values", async () => {
  assert.deepEqual(await texts("stop", "--f"), ["--force"]);
  assert.deepEqual(await texts("logs", "--stream", "std"), ["stdout", "stderr"]);
  assert.deepEqual(await texts("wait", "web", "--for", "po"), ["port", "port="]);
  assert.deepEqual(await texts("add", "--stop-signal", "HU"), ["HUP"]);
  assert.deepEqual(await texts("add", "--depends-on", ""), ["web", "4xc", "7ab"]);
  assert.deepEqual(await texts("add", "--name", ""), []);
});

test("servers, jobs of the project, choices, files", async () => {
  assert.deepEqual(await texts("shutdown", "f"), ["frozen"]);
  assert.deepEqual(await texts("up", ""), ["web", "db"]);
  assert.deepEqual(await texts("boot", "e"), ["enable"]);
  assert.deepEqual(await texts("import", ""), [":files"]);
});

test("somebody else's command line is the shell's to complete", async () => {
  assert.deepEqual(await texts("add", "--name", "x", ""), [":commands"]);
  assert.deepEqual(await texts("run", "--", ""), [":commands"]);
  assert.deepEqual(await texts("run", "npm", "--f"), [":files"]);
});

test("the parts of a verb, and what each of them takes", async () => {
  assert.deepEqual(await texts("mail", "re"), ["reply", "register", "rename"]);
  assert.deepEqual(await texts("mail", "send", "f"), ["fox"]);
  assert.deepEqual(await texts("mail", "send", "fox", "--th"), ["--thread"]);
  assert.deepEqual(await texts("mail", "check", "--as", "o"), ["owl"]);
  assert.deepEqual(await texts("mail", "history", "--state", "ex"), ["expired"]);
  assert.deepEqual(await texts("mail", "nope", ""), []);
});

test("nothing for a verb that is not known", async () => {
  assert.deepEqual(await texts("nope", ""), []);
});
