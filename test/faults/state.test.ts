import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestOptions } from "node:test";
import type { ServerStatus } from "../../src/protocol/messages.ts";
import type { TemporaryHome } from "../harness/home.ts";
import { addReady, jobsOf, test, undisturbed } from "./undisturbed.ts";

/** Files of the home that are not what they should be. */
const LIMIT: TestOptions = { timeout: 60_000 };

const DAMAGES: Record<string, (path: string) => void> = {
  "is noise": (path) => writeFileSync(path, Buffer.alloc(50_000, "noise ")),
  "has a broken header": (path) => writeAt(path, 16, Buffer.alloc(84, 0xff)),
  "is cut in the middle": (path) => truncateSync(path, Math.floor(statSync(path).size / 2)),
  "has noise behind its header": (path) => writeAt(path, 4_096, Buffer.alloc(statSync(path).size - 4_096, 0xa5)),
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  test(`state: a state.db that ${what} is set aside, said, and Warren works`, LIMIT, async () => {
    await using house = await undisturbed({ killsServer: true });
    for (const name of ["one", "two", "three"])
      assert.equal((await house.warren(["run", "-q", "--name", name, "--", "true"])).status, 0);
    assert.equal((await house.warren(["shutdown"])).status, 0);
    damage(house.places.stateDb);
    const damaged = digest(house.places.stateDb);
    const list = await house.warren(["list", "--all", "--json"]);
    assert.equal(list.status, 0, `${list.stderr}${house.logs()}`);
    assert.deepEqual(JSON.parse(list.stdout), []);
    const dir = dirname(house.places.stateDb);
    const aside = readdirSync(dir).filter((name) => /^state\.db\.corrupt-\d+$/.test(name));
    assert.equal(aside.length, 1, readdirSync(dir).join(" "));
    assert.equal(digest(join(dir, aside[0]!)), damaged, "as it was found");
    const said = (await statusOf(house)).last_error?.message ?? "";
    assert.ok(said.includes(aside[0]!), `status says it: ${said}`);
    assert.equal((await house.warren(["run", "-q", "--", "sh", "-c", "exit 4"])).status, 4);
  });
}

test("state: of a newer Warren is refused by its name, and not touched; what runs goes on", LIMIT, async () => {
  await using house = await undisturbed({ killsServer: true });
  await addReady(house, "echo ready; exec sleep 1800", ["--name", "web"]);
  assert.equal((await house.warren(["shutdown"])).status, 0);
  const { stateDb } = house.places;
  setFormat(stateDb, 99);
  const before = digest(stateDb);
  for (const args of [
    ["list", "--json"],
    ["add", "--json", "true"],
  ]) {
    const answer = await house.warren(args);
    const shown = `${answer.status}: ${answer.stdout}${answer.stderr}`;
    assert.equal(answer.status, 125, shown);
    const told = JSON.parse(answer.stderr) as { code: string; error: string; fix: string };
    assert.equal(told.code, "STATE_TOO_NEW", shown);
    assert.match(told.error, /newer Warren.*99/, shown);
    assert.match(told.fix, /install/, shown);
  }
  assert.equal(digest(stateDb), before, "not a byte was changed");
  assert.equal(house.tree().length, 1);
  setFormat(stateDb, 1);
  assert.equal((await jobsOf(house))[0]?.status, "running", "with the right Warren all is there again");
});

for (const [what, write] of Object.entries<(path: string) => void>({
  "is no YAML": (path) => writeFileSync(path, "server: {idle: [\n"),
  "is noise": (path) => writeFileSync(path, Buffer.from([0xff, 0xfe, 0, 1, 2, 0x80, 0xc3, 0x28])),
  "is a directory": (path) => mkdirSync(path),
  "has an unknown key": (path) => writeFileSync(path, "sevrer: { idle: 5m }\n"),
  "has a wrong value": (path) => writeFileSync(path, "server: { idle: soon }\n"),
})) {
  test(`state: a config.yaml that ${what} is said, and the defaults hold`, LIMIT, async () => {
    await using house = await undisturbed({ killsServer: true });
    assert.equal((await house.warren(["shutdown"])).status, 0);
    const path = join(house.home, "config.yaml");
    write(path);
    assert.equal((await house.warren(["run", "-q", "--", "sh", "-c", "exit 6"])).status, 6);
    const said = (await statusOf(house)).last_error?.message ?? "";
    assert.match(said, /config/);
    assert.ok(said.includes(path) || said.includes("config.yaml"), `status names the file: ${said}`);
    rmSync(path, { recursive: true });
    assert.ok(!existsSync(path));
  });
}

async function statusOf(house: TemporaryHome): Promise<ServerStatus> {
  const { status, stdout, stderr } = await house.warren(["status", "--json"]);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as ServerStatus;
}

function setFormat(path: string, version: number): void {
  const state = new DatabaseSync(path);
  state.exec(`pragma user_version=${version}`);
  state.prepare("update meta set value = ? where key = 'oldest_reader'").run(version);
  state.exec("pragma wal_checkpoint(truncate)");
  state.close();
}

function writeAt(path: string, offset: number, bytes: Buffer): void {
  const whole = readFileSync(path);
  bytes.copy(whole, offset);
  writeFileSync(path, whole);
}

const digest = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");
