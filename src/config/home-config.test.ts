import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseBytes, parseDuration } from "../protocol/durations.ts";
import { isWarrenError } from "../protocol/errors.ts";
import { HOME_FIELDS, loadHomeConfig, parseHomeConfig } from "./home-config.ts";

test("home config: without a file, and with an empty one, the defaults that the table states", async () => {
  const home = await mkdtemp(join(tmpdir(), "warren-home-"));
  try {
    const config = await loadHomeConfig(home);
    const { server, jobs } = HOME_FIELDS.fields;
    assert.equal(config.server.idleMs, parseDuration(server.fields.idle.default));
    assert.equal(config.jobs.graceMs, parseDuration(jobs.fields.grace.default));
    assert.equal(config.jobs.logMaxBytes, parseBytes(jobs.fields.log_max_bytes.default));
    assert.equal(config.jobs.freeSpaceFloorBytes, parseBytes(jobs.fields.free_space_floor_bytes.default));
    const { from, to } = config.sessions.ports;
    assert.equal(`${from}-${to}`, HOME_FIELDS.fields.sessions.fields.ports.default);
    assert.deepEqual(config.sessions, { detach: "ctrl-\\ d", ports: { from, to } });
    assert.deepEqual(config.mail, { onLeaderChanged: null });
    await writeFile(join(home, "config.yaml"), "# nothing yet\n");
    assert.deepEqual(await loadHomeConfig(home), config);
  } finally {
    await rm(home, { recursive: true });
  }
});

test("home config: what each section sets", () => {
  const text = "server: { idle: 45m }\nsessions: { detach: 'ctrl-a d' }\nmail: { on_leader_changed: ./tell }\n";
  const { config, problems } = parseHomeConfig(text, "config.yaml");
  assert.deepEqual(problems, []);
  assert.deepEqual(
    [config.server.idleMs, config.sessions.detach, config.mail.onLeaderChanged],
    [2_700_000, "ctrl-a d", "./tell"],
  );
});

test("home config: a range of ports lies within 1-65535", () => {
  const read = (ports: string) => parseHomeConfig(`sessions: { ports: ${ports} }`, "config.yaml");
  assert.deepEqual(read("20000-20099").config.sessions.ports, { from: 20_000, to: 20_099 });
  for (const wrong of ["0-10", "1-65536", "80", "a-b", "1-2-3"])
    assert.match(read(wrong).problems[0]?.message ?? "", /a range of ports such as 14000-14999/, wrong);
});

test("home config: all problems at once, with places and suggestions", async () => {
  const home = await mkdtemp(join(tmpdir(), "warren-home-"));
  try {
    await writeFile(
      join(home, "config.yaml"),
      "server: { idel: 1m }\njobs:\n  grace: soon\nsessions: { ports: all }\n",
    );
    await assert.rejects(loadHomeConfig(home), (error) => {
      assert.ok(isWarrenError(error, "CONFIG_INVALID"));
      assert.match(error.message, /config\.yaml:1:11 server\.idel: .*did you mean "idle"\?/);
      assert.match(error.message, /config\.yaml:3:10 jobs\.grace: must be a duration.*not "soon"/);
      assert.match(error.message, /config\.yaml:4:20 sessions\.ports: must be a range of ports/);
      return true;
    });
  } finally {
    await rm(home, { recursive: true });
  }
});
