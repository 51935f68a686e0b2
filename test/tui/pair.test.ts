import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import decodeQR from "qr/decode.js";
import { TestDevice } from "../harness/remote-device.ts";
import { House, missing, type Screen } from "./terminal-under-test.ts";

/** `warren pair` on a real terminal of 80 × 24, with a device that reads the picture. */

const skip = missing();
const TIMEOUT_MS = 60_000;

async function startHub(
  house: House,
  env: NodeJS.ProcessEnv = house.env,
): Promise<{ hub: ChildProcess; address: string }> {
  const hub = spawn(house.bin, ["hub", "--port", "0", "--json"], { env, stdio: ["ignore", "pipe", "ignore"] });
  const [chunk] = (await once(hub.stdout!, "data")) as [Buffer];
  return { hub, address: `http://127.0.0.1:${JSON.parse(chunk.toString()).port}` };
}

const isQrRow = (row: string): boolean => /[█▀▄]/.test(row) && /^[█▀▄ ]+$/.test(row);
/** Pixels for each module: what a camera would see. */
const SCALE = 4;

/** What the picture says. */
function readPicture(text: string): string {
  const rows = text.split("\n").filter(isQrRow);
  const width = Math.max(...rows.map((row) => row.length)) + 4;
  const dark = (row: string, column: number, halves: string): boolean => halves.includes(row[column - 2] ?? " ");
  const lines = rows.flatMap((row) =>
    ["█▀", "█▄"].map((halves) => Array.from({ length: width }, (_, column) => dark(row, column, halves))),
  );
  const empty = Array.from({ length: 4 }, () => new Array<boolean>(width).fill(false));
  const modules = [...empty, ...lines, ...empty];
  const height = modules.length;
  const data = new Uint8Array(width * SCALE * height * SCALE * 4).fill(255);
  for (let y = 0; y < height * SCALE; y++)
    for (let x = 0; x < width * SCALE; x++)
      if (modules[Math.floor(y / SCALE)]![Math.floor(x / SCALE)])
        data.fill(0, (y * width * SCALE + x) * 4, (y * width * SCALE + x) * 4 + 3);
  return decodeQR({ width: width * SCALE, height: height * SCALE, data });
}

async function shownCode(screen: Screen): Promise<string> {
  const text = await screen.until(/Waiting for a device, \d/);
  const count = text.split("\n").filter(isQrRow).length;
  assert.ok(count >= 20 && count <= 23, `${count} rows`);
  return readPicture(text);
}

test(
  "pair: the picture fits 80 × 24 and is read, the check is the same, yes lets in, no and Ctrl-C leave nothing",
  { skip, timeout: TIMEOUT_MS },
  async () => {
    await using house = await House.open();
    const { hub, address } = await startHub(house);
    const device = await TestDevice.make("Pixel 9");
    try {
      const screen = await house.screen({ columns: 80, rows: 24 });
      await screen.type(`${house.bin} pair --hub ${address}`);
      await screen.keys("Enter");
      const joining = await device.join(await shownCode(screen));
      await screen.until(
        new RegExp(`Pixel 9 \\(test\\) wants to join with type and approve\\. Its check is\\s${joining.check}`),
        /The same there\? \[y\/N\]/,
      );
      await screen.type("y");
      await screen.keys("Enter");
      assert.equal(await joining.verdict, true);
      await screen.until(/Pixel 9 joined \S+ \S+@\S+/, /warren devices revoke 'Pixel 9'/);

      await screen.type(`clear; ${house.bin} pair --scopes view; echo status $?`);
      await screen.keys("Enter");
      const other = await TestDevice.make("tablet");
      const refused = await other.join(await shownCode(screen));
      await screen.until(/tablet \(test\) wants to join with view alone/, /\[y\/N\]/);
      await screen.keys("Enter");
      assert.equal(await refused.verdict, false);
      await screen.until(/The device was refused\. Nothing was kept\./, /status 125/);
      other.close();

      await screen.type(`clear; ${house.bin} pair; echo status $?`);
      await screen.keys("Enter");
      await screen.until(/Waiting for a device/);
      await screen.keys("C-c");
      await screen.until(/The code is forgotten; nothing was kept/, /status 130/);
      assert.match(await house.warren("devices"), /^NAME.*\nPixel 9 +test +view,type,approve/);
      const members = JSON.parse(await house.warren("hub", "members", "--json")) as { kind: string }[];
      assert.equal(members.filter(({ kind }) => kind === "device").length, 1);
    } finally {
      device.close();
      hub.kill("SIGKILL");
    }
  },
);
