/** What differs between two texts: by lines, and in lines that were changed by words. */
export interface DiffLine {
  kind: "same" | "added" | "removed";
  parts: readonly DiffPart[];
}
export interface DiffPart {
  text: string;
  isChanged: boolean;
}

/** Of the table that finds what is common; past it the middle is shown as removed and added whole. */
const CELLS_MAX = 1_000_000;

export function diffLines(before: string, after: string): DiffLine[] {
  const lines = diffOf(linesOf(before), linesOf(after)).map(({ kind, value }) => ({ kind, text: value }));
  const result: DiffLine[] = [];
  for (let at = 0; at < lines.length; ) {
    const removed = runOf(lines, at, "removed");
    const added = runOf(lines, at + removed.length, "added");
    if (removed.length === 0 && added.length === 0) {
      result.push(plain("same", lines[at]!.text));
      at += 1;
      continue;
    }
    result.push(...changed(removed, added));
    at += removed.length + added.length;
  }
  return result;
}

const linesOf = (text: string): string[] => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

function runOf(lines: readonly { kind: string; text: string }[], from: number, kind: string): string[] {
  const run: string[] = [];
  while (lines[from + run.length]?.kind === kind) run.push(lines[from + run.length]!.text);
  return run;
}

/** Lines that stand for each other are compared by words. */
function changed(removed: readonly string[], added: readonly string[]): DiffLine[] {
  if (removed.length !== added.length)
    return [...removed.map((text) => plain("removed", text)), ...added.map((text) => plain("added", text))];
  const pairs = removed.map((text, at) => diffOf(wordsOf(text), wordsOf(added[at]!)));
  const side = (kind: "removed" | "added"): DiffLine[] =>
    pairs.map((words) => ({
      kind,
      parts: joined(words.filter((word) => word.kind === kind || word.kind === "same")),
    }));
  return [...side("removed"), ...side("added")];
}

const wordsOf = (text: string): string[] => text.match(/\w+|\s+|[^\w\s]/g) ?? [];

function joined(words: readonly { kind: string; value: string }[]): DiffPart[] {
  const parts: DiffPart[] = [];
  for (const { kind, value } of words) {
    const isChanged = kind !== "same";
    const last = parts.at(-1);
    if (last?.isChanged === isChanged) last.text += value;
    else parts.push({ text: value, isChanged });
  }
  return parts;
}

const plain = (kind: DiffLine["kind"], text: string): DiffLine => ({ kind, parts: [{ text, isChanged: false }] });

type Step = { kind: "same" | "added" | "removed"; value: string };

/** The longest common subsequence, between what is the same at both ends. */
function diffOf(before: readonly string[], after: readonly string[]): Step[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (
    tail < before.length - head &&
    tail < after.length - head &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  )
    tail += 1;
  const same = (values: readonly string[]): Step[] => values.map((value) => ({ kind: "same", value }));
  const middle = middleOf(before.slice(head, before.length - tail), after.slice(head, after.length - tail));
  return [...same(before.slice(0, head)), ...middle, ...same(before.slice(before.length - tail))];
}

function middleOf(before: readonly string[], after: readonly string[]): Step[] {
  const removed = before.map((value): Step => ({ kind: "removed", value }));
  const added = after.map((value): Step => ({ kind: "added", value }));
  if (before.length === 0 || after.length === 0 || before.length * after.length > CELLS_MAX)
    return [...removed, ...added];
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  for (let row = before.length - 1; row >= 0; row--)
    for (let column = after.length - 1; column >= 0; column--)
      lengths[row * width + column] =
        before[row] === after[column]
          ? lengths[(row + 1) * width + column + 1]! + 1
          : Math.max(lengths[(row + 1) * width + column]!, lengths[row * width + column + 1]!);
  const steps: Step[] = [];
  let row = 0;
  let column = 0;
  while (row < before.length && column < after.length) {
    if (before[row] === after[column]) {
      steps.push({ kind: "same", value: before[row]! });
      row += 1;
      column += 1;
    } else if (lengths[(row + 1) * width + column]! >= lengths[row * width + column + 1]!) steps.push(removed[row++]!);
    else steps.push(added[column++]!);
  }
  return [...steps, ...removed.slice(row), ...added.slice(column)];
}
