import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exitStatusOfCode } from "../../../src/cli/exit-status.ts";
import { EXIT } from "../../../src/protocol/outcome.ts";

/** The codes of errors that docs/protocol.md lists: those that the source makes, each with the sentences that it says, `…` where a value stands. */

const ROOT = join(import.meta.dirname, "..", "..", "..");
const MADE = /new WarrenError\(\s*"([A-Z][A-Z0-9_]+)",\s*/g;

export function errorReference(): string {
  const sentences = new Map<string, Set<string>>();
  const isProduct = (path: string) =>
    !path.endsWith(".test.ts") && !path.includes("/testing/") && !path.includes("fixture");
  for (const path of globSync("src/**/*.ts", { cwd: ROOT }).filter(isProduct)) {
    const source = readFileSync(join(ROOT, path), "utf8");
    for (const { index, 0: made, 1: code } of source.matchAll(MADE)) {
      const said = sentences.get(code!) ?? new Set();
      const sentence = literalAt(source, index + made.length);
      sentences.set(code!, sentence === undefined ? said : said.add(sentence));
    }
  }
  const rows = [...sentences]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([code, said]) => `| \`${code}\` | ${[...said].sort().map(cell).join(" · ")} | ${statusOf(code)} |`);
  return ["\n| code | says | status |", "|---|---|---|", ...rows, ""].join("\n");
}

const statusOf = (code: string): string => {
  const status = exitStatusOfCode(code);
  return status === EXIT.error ? "" : `${status}`;
};

/** The text of a literal, or of several with + between; undefined where it is anything else. */
function literalAt(source: string, start: number): string | undefined {
  const quote = source[start];
  if (quote !== '"' && quote !== "`") return undefined;
  let text = "";
  let at = start + 1;
  while (source[at] !== quote) {
    if (source[at] === "\\") {
      text += source[at + 1];
      at += 2;
    } else if (quote === "`" && source.startsWith("${", at)) {
      text += "…";
      at = endOfValue(source, at + 2);
    } else text += source[at++];
  }
  const more = /^\s*\+\s*(?=["`])/.exec(source.slice(at + 1, at + 200));
  return text + (more ? (literalAt(source, at + 1 + more[0].length) ?? "…") : "");
}

/** Behind the brace that ends a `${`, which may hold others and templates of its own. */
function endOfValue(source: string, start: number): number {
  let depth = 1;
  let at = start;
  for (; depth > 0; at++) {
    if (source[at] === "{") depth++;
    if (source[at] === "}") depth--;
  }
  return at;
}

/** `|` would end the cell, `<` would begin an element. */
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", " ");
