import assert from "node:assert/strict";
import { test } from "node:test";
import type { NewItem } from "../../client/remote/outbox.ts";
import { EMPTY_HOME } from "../model/home.ts";
import { type Row, rowsOf } from "../model/rows.ts";
import { unitActions } from "./unit-actions.ts";
import type { World } from "./world.ts";

const workers = (state: string) => [{ name: "api", kind: "worker", id: "site/api", route: "/api", state }] as never;
const rowOf = (state: string): Row =>
  rowsOf({
    ...EMPTY_HOME,
    gateways: [{ project: "site", dir: "/home/anna/site", workers: workers(state) }] as never,
  })[0]!;

/** Of a machine that is away; `asked` has what is left for it. */
function away(): { world: World; asked: NewItem[] } {
  const asked: NewItem[] = [];
  const outbox = { add: async (item: NewItem) => void asked.push(item) };
  const coordinator = { outbox, connectionForMachine: () => ({}) };
  const home = { get: () => ({ ...EMPTY_HOME, way: { kind: "away" } }) };
  return { asked, world: { machine: { id: "m", name: "laptop" }, remote: { coordinator }, home } as never };
}

test("stop later: a worker of a machine that is away is named by its project's directory, and not by its name alone", async () => {
  const { world, asked } = away();
  const actions = unitActions(world, rowOf("healthy"));
  assert.deepEqual(
    actions.map(({ label, question }) => [label, question]),
    [["Stop later", "Stop it when laptop is back?"]],
  );
  await actions[0]!.run();
  const payload = { worker: "site/api", workdir: "/home/anna/site" };
  assert.deepEqual(asked, [{ machine: "m", type: "gateway.stop", payload }]);
  assert.deepEqual(unitActions(world, rowOf("stopped")), [], "what does not run is not stopped");
});
