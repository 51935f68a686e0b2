import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { readTextIfExists, writeFileAtomic } from "../../../platform/atomic-file.ts";
import type { Build } from "../../../platform/build.ts";
import { makeDirectories } from "../../../platform/directories.ts";
import { ensureHome, type Places } from "../../../platform/paths.ts";
import { quoteWord } from "../../../protocol/quote-word.ts";
import { keepBuild, keptRuntime } from "../../../registry/builds.ts";
import { HOOK_PROGRAM } from "./claude-settings.ts";

/**
 * The program that agents' settings name: a few lines for sh in the home, which stay where they are while builds and runtimes come and go. They run the installation that has
 * made them, else a build that the home keeps; where nothing is left they say nothing, so that no agent is disturbed.
 */
export const launcherPath = ({ mailDir }: Places): string => join(mailDir, HOOK_PROGRAM);

export function writeLauncher(places: Places, build: Build): void {
  ensureHome(places);
  makeDirectories(places.mailDir, 0o700);
  keepBuild(places.buildsDir, build);
  keptRuntime(places.buildsDir);
  const text = launcherText(places.home, build.dir, process.execPath);
  if (readTextIfExists(launcherPath(places)) !== text) writeFileAtomic(launcherPath(places), text, 0o700);
}

function launcherText(home: string, dist: string, runtime: string): string {
  return `#!/bin/sh
# What agents run at their events: made by \`warren mail hooks install\`, which makes it anew.
WARREN_HOME=${quoteWord(home)}
export WARREN_HOME
_warren_dist=${quoteWord(dist)}
_warren_node=${quoteWord(runtime)}
if [ ! -f "$_warren_dist/mail-hook.cjs" ]; then
  _warren_dist=$(ls -dt "$WARREN_HOME"/builds/*/mail-hook.cjs 2>/dev/null | head -n 1)
  _warren_dist=\${_warren_dist%/*}
fi
if [ ! -x "$_warren_node" ]; then
  _warren_node=$(ls -dt "$WARREN_HOME"/builds/runtime-*/node 2>/dev/null | head -n 1)
fi
if [ -z "$_warren_dist" ] || [ -z "$_warren_node" ]; then exit 0; fi
exec "$_warren_node" --max-semi-space-size=1 "$_warren_dist/mail-hook.cjs" "$@"
`;
}

export function hasLauncher(places: Places): boolean {
  try {
    accessSync(launcherPath(places), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A command for sh that runs it when it is there. `isShared`: in the home of whoever runs it, for settings that others get too. */
export function hookCommand(places: Places, args: string, { isShared }: { isShared: boolean }): string {
  const program = isShared ? `"\${WARREN_HOME:-$HOME/.warren}/mail/${HOOK_PROGRAM}"` : quoteWord(launcherPath(places));
  return `[ ! -x ${program} ] || exec ${program} ${args}`;
}
