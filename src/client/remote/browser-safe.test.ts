import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

/** The device's library runs in a page as it is: it, what it shares with machines, and all that it imports when it runs, know nothing of Node. */
const SRC = join(import.meta.dirname, "..", "..");
const isProduct = (file: string): boolean => !/\.test\.ts$|\/testing\//.test(file);
const NODE_GLOBALS = /\b(?:Buffer|process|require|__dirname|setImmediate|global)\b(?!:)/;

const product = globSync("{client/remote,contact}/**/*.ts", { cwd: SRC })
  .filter(isProduct)
  .map((file) => join(SRC, file));

test("client/remote, contact: import client, contact, sealing and protocol, and nothing of Node, at any depth", () => {
  const seen = new Set<string>();
  const queue = [...product];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const code = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
    if (!relative(SRC, file).startsWith("protocol/"))
      assert.doesNotMatch(code.replace(/"[^"]*"|`[^`]*`/g, ""), NODE_GLOBALS, relative(SRC, file));
    for (const [, specifier = ""] of code.matchAll(
      /^(?:import|export) (?!type )(?:[^;"']*? from )?["']([^"']+)["']/gm,
    )) {
      if (!specifier.startsWith(".")) {
        assert.match(specifier, /^zod\/mini$/, `${relative(SRC, file)} imports ${specifier}`);
        continue;
      }
      const target = join(dirname(file), specifier);
      assert.match(
        relative(SRC, target),
        /^(client|contact|sealing|protocol)\//,
        `${relative(SRC, file)} imports ${specifier}`,
      );
      assert.ok(existsSync(target));
      queue.push(target);
    }
  }
  assert.ok(product.length > 15 && seen.size > product.length + 10, `${seen.size} files`);
});
