import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

/** What tmux shows for the same bytes: an emulator that has nothing in common with ours. */
export interface Shown {
  /** With their attributes, as sequences. */
  lines: string[];
  cursor: { x: number; y: number };
  isAlternate: boolean;
}

const run = promisify(execFile);
const DEADLINE_MS = 20_000;
const LOOK_EVERY_MS = 10;

export async function shownByTmux(bytes: Uint8Array, { cols, rows }: { cols: number; rows: number }): Promise<Shown> {
  const dir = mkdtempSync(join(tmpdir(), "warren-tmux-"));
  const socket = join(dir, "socket");
  const mark = `all shown ${randomUUID()}`;
  writeFileSync(join(dir, "bytes"), bytes);
  writeFileSync(join(dir, "mark"), `\x1b]2;${mark}\x1b\\`);
  writeFileSync(
    join(dir, "conf"),
    "set -g status off\nset -g default-terminal tmux-256color\nset -g remain-on-exit on\n",
  );
  const env = { ...process.env, LANG: "C.UTF-8", TMUX: "" };
  const tmux = async (...args: string[]): Promise<string> =>
    (await run("tmux", ["-S", socket, "-u", "-f", join(dir, "conf"), ...args], { env })).stdout;
  try {
    const command = `stty raw -echo; cat ${join(dir, "bytes")} ${join(dir, "mark")}; exec sleep 1000`;
    await tmux("new-session", "-d", "-x", String(cols), "-y", String(rows), command);
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    // It takes the title when it has taken everything before it; of that, it tells nobody.
    while (!(await tmux("display-message", "-p", "#{pane_title}")).includes(mark))
      await delay(LOOK_EVERY_MS, undefined, { signal: deadline });
    const [x = 0, y = 0, alternate] = (await tmux("display-message", "-p", "#{cursor_x} #{cursor_y} #{alternate_on}"))
      .trim()
      .split(" ")
      .map(Number);
    const lines = (await tmux("capture-pane", "-p", "-e", "-N")).split("\n").slice(0, rows);
    return { lines, cursor: { x, y }, isAlternate: alternate === 1 };
  } finally {
    await tmux("kill-server").catch(() => {});
    rmSync(dir, { recursive: true, force: true });
  }
}
