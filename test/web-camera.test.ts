import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { assertAccessible } from "./harness/axe.ts";
import { Chromium, missingChromium } from "./harness/chromium.ts";
import { film } from "./harness/code-picture.ts";
import { HubHouse } from "./harness/hub-house.ts";
import { RemoteMachine } from "./harness/remote-machine.ts";
import { click } from "./harness/web.ts";

/** The pairing page's camera, in a real browser: what it sees is a film of what `warren pair` shows. */
const TIMEOUT_MS = 60_000;
const PHONE = { width: 390, height: 844 };

const skip = missingChromium();

test(
  "camera: it is asked for on a tap, reads the code off the terminal, and is let go",
  { skip, timeout: TIMEOUT_MS },
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "warren-film-"));
    after(() => rmSync(dir, { recursive: true, force: true }));
    await using hub = await HubHouse.open();
    await using machine = new RemoteMachine("laptop");
    const terminal = machine.terminal("pair", "--hub", hub.address);
    await terminal.shows(/Is it the same\? \[y\/N\]/);
    terminal.type("y\r");
    await terminal.shows(/Waiting for a device, \d/);
    film(terminal.text, join(dir, "code.y4m"));
    const args = [
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      `--use-file-for-fake-video-capture=${join(dir, "code.y4m")}`,
    ];
    await using browser = await Chromium.launch({ args });
    const phone = await browser.tab(PHONE);
    await phone.goto(`${hub.address}/#/pair`);
    await phone.evaluate(`void (() => {
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    window.streams = [];
    navigator.mediaDevices.getUserMedia = async (wanted) => { const stream = await real(wanted); window.streams.push(stream); return stream; };
  })()`);
    await click(phone, "Scan with the camera");
    await phone.shows("Connecting to a new hub");
    assert.match(await phone.evaluate('document.querySelector(".pair .card").innerText'), /view, type, approve/);
    assert.deepEqual(
      await phone.evaluate("streams.flatMap((stream) => stream.getTracks().map((track) => track.readyState))"),
      ["ended"],
    );
    await assertAccessible(phone, "what was scanned");
    assert.deepEqual(phone.complaints, []);
  },
);

test(
  "camera: without one, and where it is not allowed, the page says what else can be done",
  { skip, timeout: TIMEOUT_MS },
  async () => {
    await using hub = await HubHouse.open();
    await using browser = await Chromium.launch();
    const phone = await browser.tab(PHONE);
    await phone.goto(`${hub.address}/#/pair`);
    await click(phone, "Scan with the camera");
    await phone.until(
      '/^✗ (There is no camera here|The camera was not allowed)\\. Paste the link, or choose a picture of the code\\.$/.test(document.querySelector(".scan [role=alert]")?.textContent)',
      "what else can be done",
    );
    await assertAccessible(phone, "no camera");
  },
);
