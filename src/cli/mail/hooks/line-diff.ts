/** What changes between two texts, line by line, as `diff -u` shows it (POSIX diff, "unified"). */
const CONTEXT_LINES = 3;
/** Of lines that differ; in longer texts all of them are shown as changed. */
const COMPARED_MAX = 1_000;

type Step = { sign: " " | "-" | "+"; line: string };

/** Empty when they are the same. */
export function unifiedDiff(before: string, after: string, path: string): string[] {
  if (before === after) return [];
  const steps = stepsOf(linesOf(before), linesOf(after));
  const lines = [before === "" ? "--- /dev/null" : `--- ${path}`, `+++ ${path}`];
  for (const { start, end } of hunksOf(steps)) {
    const hunk = steps.slice(start, end);
    const first = { old: countOf(steps.slice(0, start), "+"), new: countOf(steps.slice(0, start), "-") };
    const count = { old: countOf(hunk, "+"), new: countOf(hunk, "-") };
    lines.push(`@@ -${range(first.old, count.old)} +${range(first.new, count.new)} @@`);
    for (const { sign, line } of hunk) lines.push(`${sign}${line}`);
  }
  return lines;
}

/** All but those with this sign: the lines of the other text. */
const countOf = (steps: readonly Step[], without: Step["sign"]): number =>
  steps.filter(({ sign }) => sign !== without).length;

const range = (before: number, count: number): string => `${count === 0 ? before : before + 1},${count}`;

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => line.replace(/\r$/, ""));
}

function stepsOf(before: string[], after: string[]): Step[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < before.length - head && tail < after.length - head && before.at(-1 - tail) === after.at(-1 - tail))
    tail += 1;
  const same = (line: string): Step => ({ sign: " ", line });
  return [
    ...before.slice(0, head).map(same),
    ...changed(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

/** By the longest common subsequence. */
function changed(before: string[], after: string[]): Step[] {
  const all = (sign: "-" | "+", lines: string[]): Step[] => lines.map((line) => ({ sign, line }));
  if (before.length > COMPARED_MAX || after.length > COMPARED_MAX) return [...all("-", before), ...all("+", after)];
  const length = lengths(before, after);
  const steps: Step[] = [];
  let [i, j] = [0, 0];
  while (i < before.length && j < after.length) {
    if (before[i] === after[j]) {
      steps.push({ sign: " ", line: before[i]! });
      i += 1;
      j += 1;
    } else if (length[i + 1]![j]! >= length[i]![j + 1]!) steps.push({ sign: "-", line: before[i++]! });
    else steps.push({ sign: "+", line: after[j++]! });
  }
  return [...steps, ...all("-", before.slice(i)), ...all("+", after.slice(j))];
}

function lengths(before: string[], after: string[]): number[][] {
  const table = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0));
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      table[i]![j] =
        before[i] === after[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!);
  return table;
}

function hunksOf(steps: readonly Step[]): { start: number; end: number }[] {
  const hunks: { start: number; end: number }[] = [];
  for (const [at, { sign }] of steps.entries()) {
    if (sign === " ") continue;
    const start = Math.max(0, at - CONTEXT_LINES);
    const end = Math.min(steps.length, at + 1 + CONTEXT_LINES);
    const last = hunks.at(-1);
    if (last && start <= last.end) last.end = end;
    else hunks.push({ start, end });
  }
  return hunks;
}
