import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TemporaryHome } from "./home.ts";
import { waitUntil } from "./wait-until.ts";

/** Of so many units the one hub of `house` has got the last state, and a list of heads: what the machine has written down says so. */
export async function unitsAreTold({ places: { remoteDir } }: TemporaryHome, count: number): Promise<void> {
  await waitUntil(
    () => {
      // Not what is being written beside it, which has another ending.
      const [file, ...others] = readdirSync(remoteDir).filter((name) => /^space-.*\.json$/.test(name));
      if (file === undefined || others.length > 0) throw new Error(`not one space in ${remoteDir}`);
      const { owed, rows, digest } = JSON.parse(readFileSync(join(remoteDir, file), "utf8"));
      return owed.length === 0 && Object.keys(rows).length === count && digest !== "";
    },
    { what: `${count} units are told`, everyMs: 50 },
  );
}
