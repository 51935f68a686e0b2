// The tests of the page: `npm test`.
import { readFileSync } from "node:fs";
import { pathOfPage } from "./page.mjs";

const page = readFileSync(pathOfPage(), "utf8");
const textIn = (tag) => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(page)?.[1];
const checks = [
  ["it has a headline", Boolean(textIn("h1"))],
  ["its title is its headline", textIn("title") === textIn("h1")],
  ["it says in which language it is", /<html lang="[a-z]+">/.test(page)],
];
for (const [name, holds] of checks) console.log(`${holds ? "ok  " : "FAIL"} ${name}`);
if (checks.some(([, holds]) => !holds)) process.exitCode = 1;
