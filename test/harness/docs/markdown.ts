import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The documents of the project, as far as a test has to understand them. */
const ROOT = join(import.meta.dirname, "..", "..", "..");

export interface Document {
  /** From the project's folder on. */
  path: string;
  text: string;
}

export const DOCUMENTS = (): Document[] =>
  ["README.md", "CHANGELOG.md", ...globSync("docs/**/*.md", { cwd: ROOT })].map((path) => ({
    path,
    text: readFileSync(join(ROOT, path), "utf8"),
  }));

/** Code by lines, each block for itself, without its indentation or fence; and what is written in the sentences between. */
export function partsOf(text: string): { blocks: string[][]; prose: string } {
  const blocks: string[][] = [];
  const prose: string[] = [];
  let block: string[] | undefined;
  let isFenced = false;
  let previous = "";
  for (const line of text.split("\n")) {
    const isFence = /^\s*```/.test(line);
    // An indented line below a paragraph or a point of a list goes on with that; code has an empty line before it.
    const isIndented = /^ {4,}\S/.test(line) && (block !== undefined || previous.trim() === "");
    if (isFence) {
      isFenced = !isFenced;
      block = isFenced ? [] : undefined;
      if (block) blocks.push(block);
    } else if (isFenced) block!.push(line);
    else if (isIndented) {
      if (block === undefined) {
        block = [];
        blocks.push(block);
      }
      block.push(line.trimStart());
    } else if (line.trim() !== "") {
      block = undefined;
      prose.push(line);
    }
    previous = line;
  }
  return { blocks, prose: prose.join("\n") };
}

/** What stands between backticks in the sentences. */
export const inlineCode = (prose: string): string[] =>
  [...prose.matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map(([, code]) => code!);

/** Where links and pictures lead, but for those to other sites. */
export const linksOf = (prose: string): string[] =>
  [...prose.replaceAll(/`[^`\n]*`/g, "").matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)]
    .map(([, to]) => to!)
    .filter((to) => !/^[a-z]+:/.test(to));

/** The anchors of a document's headings, as GitHub makes them. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, title] of text.replaceAll(/^```.*?^```/gms, "").matchAll(/^#{1,6} (.+)$/gm)) {
    const slug = title!
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(/\s/g, "-");
    let anchor = slug;
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`;
    anchors.add(anchor);
  }
  return anchors;
}
