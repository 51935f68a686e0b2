import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Opens the link in the person's browser, where there is a screen; failing is silent, since the link is printed as well. A browser's command line can be read by every user of the
 * machine, so it is given a file of ours (0600) which leads to the link.
 */
export function openBrowser({ url, dir, env }: { url: string; dir: string; env: NodeJS.ProcessEnv }): void {
  const isMac = process.platform === "darwin";
  if (!isMac && !env.DISPLAY && !env.WAYLAND_DISPLAY) return;
  const path = join(dir, "web.html");
  const page = `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0;url=${url}"><title>Warren</title>\n`;
  writeFileSync(path, page, { mode: 0o600 });
  const child = spawn(isMac ? "open" : "xdg-open", [path], { stdio: "ignore", detached: true });
  child.on("error", () => {}); // no such program
  child.unref();
}
