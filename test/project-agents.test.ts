import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Session } from "../src/protocol/units.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";

/** The agents of a project's warren.yaml come up and go down with it. */
const TIMEOUT_MS = 120_000;
const SCRIPTED = join(import.meta.dirname, "..", "examples", "agents", "scripted.ts");
const agent = (...flags: string[]): string => [process.execPath, SCRIPTED, ...flags].join(" ");

interface Up {
  jobs: { action: string }[];
  agents?: { session: Session; action: string }[];
}

const write = (dir: string, agents: Record<string, string>, jobs = ""): void =>
  writeFileSync(
    join(dir, "warren.yaml"),
    `${jobs}agents:\n${Object.entries(agents)
      .map(([name, command]) => `  ${name}: { agent: ${JSON.stringify(command)} }\n`)
      .join("")}`,
  );

async function json<T>(house: TemporaryHome, args: string[], cwd = house.dir): Promise<T> {
  const { status, stdout, stderr } = await house.warren([...args, "--json"], { cwd });
  assert.equal(status, 0, stdout + stderr);
  return JSON.parse(stdout) as T;
}

const actions = ({ agents = [] }: Up): string[] => agents.map(({ session, action }) => `${session.name} ${action}`);

test(
  "up starts agents, leaves those that run, goes on with the conversation of one that has ended; down ends them",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    write(house.dir, { fox: agent(), owl: agent() }, "jobs:\n  web: { command: sleep 1000 }\n");
    const first = await json<Up>(house, ["up"]);
    assert.deepEqual([actions(first), first.jobs.length], [["fox started", "owl started"], 1]);
    const [fox] = first.agents!;
    assert.deepEqual([fox!.session.kind, fox!.session.workdir], ["agent", house.dir]);
    assert.equal((await house.warren(["prompt", "fox", "say remembered", "--wait"])).status, 0);
    assert.deepEqual(actions(await json<Up>(house, ["up"])), ["fox already_running", "owl already_running"]);

    const { agents: ended } = await json<{ agents: Session[] }>(house, ["down"]);
    assert.deepEqual(ended.map(({ name, status }) => [name, status]).sort(), [
      ["fox", "stopped"],
      ["owl", "stopped"],
    ]);
    const again = await json<Up>(house, ["up", "fox"]);
    assert.deepEqual([actions(again), again.jobs], [["fox resumed"], []], "the named one alone");
    assert.equal(again.agents![0]!.session.id, fox!.session.id);
    assert.match((await house.warren(["history", "fox"])).stdout, /remembered/);

    await json(house, ["down"]);
    write(house.dir, { fox: agent("--no-resume") });
    assert.deepEqual(
      actions(await json<Up>(house, ["up"])),
      ["fox started"],
      "another command is another conversation",
    );
    const text = await house.warren(["up"]);
    assert.equal(text.status, 0, text.stderr);
    assert.match(text.stdout, /^fox {2}runs already: .*scripted\.ts --no-resume\n$/);
    assert.equal((await house.warren(["down"])).stdout, "Ended 1 agent: fox\n");
  },
);

test(
  "up: a name that is another place's is refused with what to type, and so is a command that cannot be read",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const elsewhere = join(house.base, "elsewhere");
    mkdirSync(elsewhere);
    write(elsewhere, { fox: agent() });
    await json<Up>(house, ["up"], elsewhere);
    write(house.dir, { fox: agent() });
    const taken = await house.warren(["up", "--detach"]);
    assert.deepEqual([taken.status, taken.stdout], [125, ""]);
    assert.match(
      taken.stderr,
      /^error: fox is the name of an agent in .*elsewhere\.\nwarren stop fox +# or another name/,
    );
    assert.deepEqual(await json<{ agents?: unknown }>(house, ["down"]), { stopped: [] }, "what is another's goes on");
    write(house.dir, { fox: "node 'agent.ts" });
    const wrong = await house.warren(["up"]);
    assert.equal(wrong.status, 125);
    assert.match(wrong.stderr, /warren\.yaml:2:\d+ agents\.fox\.agent: .*quote/);
  },
);
