import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import type { RemoteIntroduction } from "../../protocol/remote-units.ts";
import type { Context } from "../context.ts";
import { openOutput } from "../output.ts";
import { introductionLines } from "./device-text.ts";

const NOW_MS = Date.parse("2026-01-01T00:00:00Z");

test("introductions: what is to be typed to let one in carries nothing out that its name says", () => {
  const name = "`exit 1` $(exit 1) it's";
  const introduction: RemoteIntroduction = {
    introduction: "i1",
    name,
    platform: "linux",
    scopes: ["view"],
    introduced_by: "tablet",
    fingerprint: "00",
    hub: "studio",
    expires_at: "2026-01-01T00:01:00Z",
  };
  const output = { ...openOutput({ ...process, env: { NO_COLOR: "1" }, onGone() {} }), isTerminal: true };
  const lines = introductionLines({ output, nowMs: () => NOW_MS } as Context, [introduction]);
  const [allow] = lines.filter((line) => line.includes("warren devices allow"));
  const said = execFileSync("sh", ["-c", `warren() { printf '%s|' "$@"; }\n${allow}`]).toString();
  assert.equal(said, `devices|allow|${name}|`);
});
