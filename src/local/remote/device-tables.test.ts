import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { outboxStoreConforms, recordStoreConforms } from "../../client/remote/testing/stores-conform.ts";
import { openDeviceDatabase } from "./device-database.ts";
import { OutboxTable } from "./outbox-table.ts";
import { RecordTable } from "./record-table.ts";

function directory(context: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "warren-device-"));
  context.after(() => rmSync(dir, { recursive: true }));
  return join(dir, "device");
}

/** Each time by another connection, as another command has it. */
function databases(context: TestContext) {
  const dir = directory(context);
  return () => {
    const database = openDeviceDatabase(dir);
    context.after(() => database.close());
    return database;
  };
}

test("outbox table: it keeps what every store of requests keeps", async (context) => {
  const open = databases(context);
  await outboxStoreConforms(() => new OutboxTable(open()));
});

test("record table: it keeps what every store of records keeps", async (context) => {
  const open = databases(context);
  await recordStoreConforms(() => {
    const table = new RecordTable(open());
    return Object.assign(table, { shownRows: () => table.rows(), shownGaps: (hub: string) => table.gaps(hub) });
  });
});

test("outbox table: two commands that add at once keep one order, and of what is over the newest stay", async (context) => {
  const open = databases(context);
  const tables = [new OutboxTable(open()), new OutboxTable(open())] as const;
  const item = (id: string, kind: "queued" | "expired") =>
    ({ id, machine: "m1", type: "ping", payload: {}, createdMs: 1, deadlineMs: 2, state: { kind } }) as const;
  for (let at = 0; at < 10; at += 1) await tables[at % 2]!.put(item(`i${at}`, at < 5 ? "expired" : "queued"));
  tables[0].forgetOver(2);
  assert.deepEqual(
    (await tables[1].items()).map(({ id }) => id),
    ["i3", "i4", "i5", "i6", "i7", "i8", "i9"],
  );
  assert.deepEqual(tables[1].machines(), ["m1"]);
});

test("device database: it is its owner's alone, and one that others may read is refused", (context) => {
  const dir = directory(context);
  openDeviceDatabase(dir).close();
  const path = join(dir, "device.db");
  assert.deepEqual([statSync(dir).mode & 0o777, statSync(path).mode & 0o777], [0o700, 0o600]);
  chmodSync(path, 0o640);
  assert.throws(() => openDeviceDatabase(dir), { code: "DEVICE_FILE_OPEN" });
});
