import { createInterface } from "node:readline";
import { JobsFixture } from "./jobs-fixture.ts";

/**
 * For tests: the jobs domain in a process of its own, so that it can be killed. Takes `{ method, payload, receipt }` a line and prints `ready`, then the
 * answers, a line each.
 */
const fixture = await JobsFixture.at(process.argv[2] ?? "");
const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
say("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const { method, payload, receipt } = JSON.parse(line);
  const call = fixture.jobs[method as "add"].bind(fixture.jobs);
  void Promise.resolve(call(payload, receipt)).then(say, (error) => say({ error: String(error) }));
}
