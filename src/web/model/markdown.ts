/**
 * What agents write, as blocks and runs of text for the views to draw: never as HTML. It takes the part of CommonMark that they use, and text that is still coming in: what is not closed
 * yet is shown as it will probably be.
 */
export type Block =
  | { kind: "paragraph"; runs: Run[] }
  | { kind: "heading"; level: number; runs: Run[] }
  | { kind: "code"; language: string; text: string }
  | { kind: "list"; isOrdered: boolean; start: number; items: Run[][] }
  | { kind: "quote"; runs: Run[] }
  | { kind: "rule" };

export type Run =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "strong" | "emphasis"; text: string }
  | { kind: "link"; text: string; url: string };

/** What stands behind it is shown whole; with a backtick in it, it is code within a line (CommonMark §4.5). */
const FENCE = /^ {0,3}(```+(?=[^`]*$)|~~~+)\s*(.*?)\s*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const ITEM = /^\s{0,6}(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;
const RULE = /^ {0,3}(?:-{3,}|\*{3,}|_{3,})\s*$/;
const QUOTE = /^ {0,3}>\s?(.*)$/;

export function markdownBlocks(text: string): Block[] {
  const lines = text.split("\n");
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const endParagraph = (): void => {
    if (paragraph.length > 0) blocks.push({ kind: "paragraph", runs: runsOf(paragraph.join("\n")) });
    paragraph = [];
  };
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const fence = FENCE.exec(line);
    if (fence) {
      endParagraph();
      const end = lines.findIndex((other, index) => index > at && isEndOf(fence[1]!, other.trim()));
      const body = lines.slice(at + 1, end === -1 ? undefined : end);
      blocks.push({ kind: "code", language: fence[2]!, text: body.join("\n") });
      if (end === -1) break;
      at = end;
      continue;
    }
    const block = line.trim() === "" ? undefined : singleBlock(line, blocks.at(-1), paragraph.length === 0);
    if (line.trim() === "" || block) endParagraph();
    else paragraph.push(line);
    if (block && block !== "joined") blocks.push(block);
  }
  endParagraph();
  return blocks;
}

/** At least as long as its beginning, and nothing else. */
const isEndOf = (fence: string, line: string): boolean =>
  line.length >= fence.length && line === fence[0]!.repeat(line.length);

/** A block of one line; `joined`: it was added to the block before. */
function singleBlock(line: string, before: Block | undefined, isFirst: boolean): Block | "joined" | undefined {
  const heading = HEADING.exec(line);
  if (heading) return { kind: "heading", level: heading[1]!.length, runs: runsOf(heading[2]!) };
  if (RULE.test(line)) return { kind: "rule" };
  const quote = QUOTE.exec(line);
  if (quote) return { kind: "quote", runs: runsOf(quote[1]!) };
  const item = ITEM.exec(line);
  if (!item) return undefined;
  const isOrdered = item[1] !== undefined;
  if (before?.kind === "list" && before.isOrdered === isOrdered && isFirst) {
    before.items.push(runsOf(item[2]!));
    return "joined";
  }
  return { kind: "list", isOrdered, start: Number(item[1] ?? 1), items: [runsOf(item[2]!)] };
}

const INLINE =
  /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)|\*\*([^*\s](?:[\s\S]*?[^*\s])??)\*\*|(?<![\w*])\*([^*\s](?:[^*]*?[^*\s])??)\*(?!\w)|\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)\)|(https?:\/\/[^\s<>)\]]*[^\s<>)\].,;:!?'"])/g;

export function runsOf(text: string): Run[] {
  const runs: Run[] = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > from) runs.push({ kind: "text", text: text.slice(from, match.index) });
    const [whole, , code, strong, emphasis, label, target, bare] = match;
    if (code !== undefined)
      runs.push({ kind: "code", text: code.trim() === "" ? code : code.replace(/^ (.*) $/s, "$1") });
    else if (strong !== undefined) runs.push({ kind: "strong", text: strong });
    else if (emphasis !== undefined) runs.push({ kind: "emphasis", text: emphasis });
    else if (label !== undefined) runs.push({ kind: "link", text: label, url: target! });
    else runs.push({ kind: "link", text: bare!, url: bare! });
    from = match.index + whole.length;
  }
  if (from < text.length) runs.push({ kind: "text", text: text.slice(from) });
  return runs;
}
