import assert from "node:assert/strict";
import { test } from "node:test";
import type { Places } from "../../platform/paths.ts";
import { MachineDoor, type OpenedMachine } from "./machine-door.ts";

const EVENTS = { onLine() {}, onClose() {} };

/** A machine that says how often it was closed. */
function machineThere(): OpenedMachine & { closeCount: number } {
  const dial = async () => ({ send() {}, close() {} });
  const machine = {
    link: { dialLines: () => dial, dialBytes: () => assert.fail("nobody attaches") },
    closeCount: 0,
    close() {
      machine.closeCount += 1;
    },
  };
  return machine;
}

test("a command that ends does not wait for a machine that is still being opened, and leaves nothing open", async () => {
  const { promise: opening, resolve } = Promise.withResolvers<OpenedMachine>();
  const door = new MachineDoor("laptop", {} as Places, () => opening);
  const dialled = door.dialLines()(EVENTS);
  door.close();
  const machine = machineThere();
  resolve(machine);
  await dialled;
  assert.equal(machine.closeCount, 1);
});

test("a machine that nobody has used is not opened; one that was is opened once, and closed with the command", async () => {
  const machine = machineThere();
  let openCount = 0;
  const open = async (): Promise<OpenedMachine> => {
    openCount += 1;
    return machine;
  };
  new MachineDoor("laptop", {} as Places, open).close();
  assert.equal(openCount, 0);
  const door = new MachineDoor("laptop", {} as Places, open);
  await Promise.all([door.dialLines()(EVENTS), door.dialLines("fox")(EVENTS)]);
  door.close();
  assert.deepEqual([openCount, machine.closeCount], [1, 1]);
});
