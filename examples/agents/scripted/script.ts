import { readFileSync } from "node:fs";

/** One line of a script: a verb and the rest of the line. */
export interface Step {
  verb: string;
  rest: string;
}

export const VERBS = [
  "say", "think", "wait", "until", "plan", "read", "write", "edit", "run", "ask", "title", "mode", "usage", "flood", "line",
  "garbage", "unknown-method", "unknown-update", "fail", "refuse", "hang", "crash", "exit",
] as const; // biome-ignore format: a table

/** The steps that a text asks for; a text without one is answered with an echo. */
export function readSteps(text: string): Step[] {
  const steps = text.split("\n").flatMap((line): Step[] => {
    const [, verb = "", rest = ""] = /^\s*([a-z-]+)(?:\s+(.*))?$/.exec(line) ?? [];
    return (VERBS as readonly string[]).includes(verb) ? [{ verb, rest: rest.trim() }] : [];
  });
  return steps.length > 0 ? steps : [{ verb: "say", rest: `You said: ${text}` }];
}

/** A script file: blocks between lines of `---`, one for each prompt. */
export const readBlocks = (path: string): string[] => readFileSync(path, "utf8").split(/^---\s*$/m);

/** `50ms`, `2s`. */
export function readMs(text: string): number {
  const [, number = "0", unit] = /^(\d+)(ms|s)?$/.exec(text) ?? [];
  return Number(number) * (unit === "s" ? 1000 : 1);
}

/** `10MB`, `64KB`, `100`. */
export function readBytes(text: string): number {
  const [, number = "0", unit] = /^(\d+)(MB|KB)?$/.exec(text) ?? [];
  return Number(number) * (unit === "MB" ? 1024 * 1024 : unit === "KB" ? 1024 : 1);
}

/** `s/old/new/`: a text, not a pattern. */
export function readReplacement(text: string): { from: string; to: string } {
  const [, from = "", to = ""] = text.slice(1).split(text[1] ?? "/");
  return { from, to };
}
