import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * Plays Claude Code as far as its hooks see it: reads the settings files that it was given, and at an event runs their commands by `sh -c` with JSON on standard
 * input, all at once (https://code.claude.com/docs/en/hooks). A process of its own, since hooks speak for the process that runs them.
 */
interface Fire {
  id: number;
  input: { hook_event_name: string };
  env: Record<string, string>;
  /** Kill each hook with SIGKILL after so many milliseconds. */
  killAfterMs?: number;
}

interface Setting {
  type: string;
  command: string;
  timeout?: number;
  async?: boolean;
  asyncRewake?: boolean;
}

const settingsFiles = process.argv.slice(2);

process.on("message", async (fire: Fire) => {
  const found = settingsFiles.flatMap((path) => hooksIn(path, fire.input.hook_event_name));
  const hooks = [...new Map(found.map((hook) => [hook.command, hook])).values()]; // the same command runs once
  const inBackground = hooks.filter(({ asyncRewake }) => asyncRewake);
  for (const hook of inBackground)
    void run(hook, fire).then((ran) => {
      if (ran.status === 2) process.send?.({ wake: ran.stderr || ran.stdout });
      else process.send?.({ waiterEnded: ran.status });
    });
  const results = await Promise.all(
    hooks.filter((hook) => !inBackground.includes(hook)).map((hook) => run(hook, fire)),
  );
  process.send?.({ id: fire.id, results });
});
process.on("disconnect", () => process.exit(0));

function hooksIn(path: string, event: string): Setting[] {
  let settings: { hooks?: Record<string, { hooks: Setting[] }[]> };
  try {
    settings = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return [];
  }
  return (settings.hooks?.[event] ?? []).flatMap((group) => group.hooks).filter(({ type }) => type === "command");
}

function run({ command, timeout = 600 }: Setting, { input, env, killAfterMs }: Fire) {
  return new Promise<{ status: number | null; stdout: string; stderr: string; ms: number }>((resolve) => {
    const begunMs = performance.now();
    const child = spawn("sh", ["-c", command], { env: { ...process.env, ...env }, stdio: "pipe" });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.stdin.on("error", () => {});
    child.stdin.end(JSON.stringify(input));
    const timer = setTimeout(() => child.kill("SIGKILL"), killAfterMs ?? timeout * 1_000);
    child.on("close", (status) => {
      clearTimeout(timer);
      resolve({ status, stdout, stderr, ms: performance.now() - begunMs });
    });
  });
}
