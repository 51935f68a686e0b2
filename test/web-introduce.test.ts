import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { RemoteDevice } from "../src/protocol/remote-units.ts";
import { Chromium, missingChromium } from "./harness/chromium.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { startHub } from "./harness/hub-process.ts";
import { click } from "./harness/web.ts";
import { pairTab } from "./harness/web-pairing.ts";

/** A browser introduces a device to two machines by one code, and is introduced itself: the app of a hub, two machines, real processes. */
const TIMEOUT_MS = 90_000;

const devicesOf = async (house: TemporaryHome): Promise<RemoteDevice[]> =>
  (await house.client().request("remote.devices", {})).devices;

describe("web: introductions", { skip: missingChromium(), timeout: 2 * TIMEOUT_MS }, () => {
  let browser: Chromium;
  before(async () => {
    browser = await Chromium.launch();
  });
  after(() => browser[Symbol.asyncDispose]());

  test(
    "one code of a browser lets another one in at two machines, which it names first; one that asks first is shown to wait",
    { timeout: TIMEOUT_MS },
    async () => {
      await using laptop = temporaryHome();
      await using desk = temporaryHome();
      const { running: hub, address } = await startHub(laptop, { args: ["--open", "--label", "attic"] });
      const admin = await browser.tab();
      for (const house of [laptop, desk]) {
        await pairTab(admin, house, address, { scopes: "type,admin" });
        await click(admin, "All units");
      }
      assert.equal((await desk.warren(["devices", "ask-first", "on"])).status, 0);
      await admin.evaluate('location.hash = "#/devices"');
      await click(admin, "Let a device in at several machines");
      await click(admin, "Show a code");
      await admin.shows("once you have said yes here");
      const link = await admin.evaluate<string>(
        `[...document.querySelectorAll("code")].map((one) => one.textContent).find((text) => text.includes("#p="))`,
      );

      // Another origin of the same hub has a store of its own: another device.
      const fresh = await browser.tab();
      await fresh.goto(link.replace("127.0.0.1", "localhost"));
      await click(fresh, "Connect");
      await fresh.shows("introduces this browser to:");
      assert.equal((await devicesOf(laptop)).length, 1, "nothing of it was said yet");
      await click(fresh, "Join 2 machines");
      const CHECK = 'document.querySelector("output")?.textContent';
      await admin.shows("Does the device show the same number?");
      await fresh.until(`/^\\d{3} \\d{3}$/.test(${CHECK} ?? "")`, "the check");
      assert.equal(await admin.evaluate(CHECK), await fresh.evaluate(CHECK));
      await click(admin, "Yes, let it in");
      await admin.shows("1 of 2 have answered");

      await admin.shows("To let it in, in a terminal of");
      const [waiting] = (await desk.client().request("remote.devices", {})).introductions ?? [];
      const allowed = await desk.warren(["devices", "allow", waiting!.name]);
      assert.equal(allowed.status, 0, allowed.stderr);
      await fresh.shows("✓ Joined");
      await admin.shows("joined");
      for (const house of [laptop, desk]) {
        const [first, second] = await devicesOf(house);
        assert.deepEqual([second?.scopes, second?.introduced_by], [["view", "type"], first?.name]);
      }
      await click(fresh, "All units");
      await fresh.shows("1/1 hub");
      for (const tab of [admin, fresh]) {
        assert.deepEqual(tab.complaints, []);
        await tab.close();
      }
      hub.child.kill("SIGKILL");
    },
  );
});
