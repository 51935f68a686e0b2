import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Tab } from "./chromium.ts";
import { waitUntil } from "./wait-until.ts";

const AXE = readFileSync(join(import.meta.dirname, "..", "..", "node_modules", "axe-core", "axe.min.js"), "utf8");

/** axe finds nothing to complain of in the page as it is now; the terminal's own elements are its library's. */
export async function assertAccessible(tab: Tab, where: string): Promise<void> {
  // In the page by the debugger's own way: the page's policy would refuse it.
  await tab.evaluate(`window.axe ? undefined : void (${JSON.stringify("")}, (() => { ${AXE} })())`);
  const found = await waitUntil(
    () =>
      tab.evaluate<string[]>(`axe.run(document, { exclude: [[".xterm"]] }).then(({ violations }) =>
        violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ": " + html.slice(0, 200) + " " + failureSummary)))`),
    { what: "axe" },
  );
  assert.deepEqual(found, [], where);
}
