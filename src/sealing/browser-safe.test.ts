import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

/** src/sealing runs in a browser as it is: it and all that it imports know nothing of Node, and import `protocol` and zod alone. */

const SRC = join(import.meta.dirname, "..");
const isProduct = (file: string): boolean => !/\.test\.ts$|\/testing\//.test(file);
const PACKAGES = ["zod/mini"];
/** What Node has and a page has not. */
const NODE_GLOBALS = /\b(?:Buffer|process|require|__dirname|setImmediate|global)\b(?!:)/;

const product = globSync("sealing/**/*.ts", { cwd: SRC })
  .filter(isProduct)
  .map((file) => join(SRC, file));

test("sealing: imports protocol and itself, and nothing of Node, at any depth", () => {
  const seen = new Set<string>();
  const queue = [...product];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const specifier of importsOf(file)) {
      if (!specifier.startsWith(".")) {
        assert.ok(PACKAGES.includes(specifier), `${relative(SRC, file)} imports ${specifier}`);
        continue;
      }
      const target = join(dirname(file), specifier);
      assert.match(relative(SRC, target), /^(sealing|protocol)\//, `${relative(SRC, file)} imports ${specifier}`);
      assert.ok(isProduct(target) && existsSync(target), `${relative(SRC, file)} imports ${specifier}`);
      queue.push(target);
    }
  }
  assert.ok(product.length > 20 && seen.size > product.length);
});

test("sealing: names nothing that only Node has", () => {
  for (const file of product) {
    const code = readFileSync(file, "utf8")
      .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")
      .replace(/(["'`])(?:\\.|(?!\1).)*\1/g, '""');
    assert.doesNotMatch(code, NODE_GLOBALS, relative(SRC, file));
  }
});

test("sealing: product code anywhere does not import the stand-in cipher", () => {
  for (const file of globSync("**/*.{ts,tsx}", { cwd: SRC }).filter(isProduct))
    assert.ok(!importsOf(join(SRC, file)).some((specifier) => specifier.includes("stand-in")), file);
});

function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
  return [
    ...text.matchAll(/^(?:import|export) (?:[^;"']*? from )?["']([^"']+)["']/gm),
    ...text.matchAll(/\bimport\(\s*["']([^"']+)["']/g),
  ].map(([, specifier]) => specifier!);
}
