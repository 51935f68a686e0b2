import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { saying } from "../harness/site.ts";
import { House, missing } from "./terminal-under-test.ts";

/** Workers in the screen: in the list, in their panes, and by their keys. */
const skip = missing();

/** A project with one worker, up on a free port. */
async function served(house: House): Promise<{ save: (text: string) => void; state: () => Promise<string> }> {
  const file = join(house.project, "workers", "api", "src", "main.ts");
  mkdirSync(join(file, ".."), { recursive: true });
  const save = (text: string): void => writeFileSync(file, text);
  save(`console.log("listens soon");\n${saying("one")}`);
  house.env.WARREN_GATEWAY_PORT = "0";
  await house.warren("up", "--detach");
  await house.warren("wait", "api", "--for", "healthy", "--timeout", "20s");
  const state = async (): Promise<string> => JSON.parse(await house.warren("list", "--json"))[0].state;
  return { save, state };
}

test(
  "a worker is seen, paused, stopped and started, and a build that fails is read",
  { skip, timeout: 90_000 },
  async () => {
    await using house = await House.open();
    const { save, state } = await served(house);
    const screen = await house.screen({ columns: 120, rows: 40 });
    await screen.open(/◉ api +\/api +healthy/);
    await screen.until(
      /worker: api.*◉ healthy/,
      /instances: api/,
      /◉ healthy +[0-9a-f]{8} :9\d{3}/,
      /listens soon/,
      /req\/s · 0 in flight/,
    );

    await screen.keys("p");
    await screen.until(/○ api +\/api +paused/, /p unpause/);
    assert.equal(await state(), "paused");
    await screen.keys("p");
    await screen.until(/◉ api +\/api +healthy/);

    await screen.keys("s");
    await screen.until(/◌ api +\/api +stopped/, /stopped; space starts it/);
    await screen.keys("Space");
    await screen.until(/◉ api +\/api +healthy/);

    save(saying("two").replace("createServer((", "createServer(((("));
    await screen.until(/✗ api +\/api +failed/, /cannot be built/, /workers\/api\/src\/main\.ts:5:\d+/);
    await screen.keys("i");
    await screen.until(/why: api/, /It is failed, at http/, /> 5 │/);
    await screen.keys("Escape");
    save(saying("three"));
    await screen.until(/◉ api +\/api +healthy/);

    await house.warren("down");
    await screen.until((text) => !/ api /.test(text));
    await screen.until(/Nothing runs here yet/);
  },
);
