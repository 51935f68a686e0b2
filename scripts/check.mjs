// `npm run check`: types, lint and format, imports.
import { join } from "node:path";
import { install, root, run, runtime } from "./install.mjs";

install({ withDev: true });
const bin = (name) => join(root, "node_modules", ".bin", name);
run(bin("tsc"), ["-p", "."]);
run(bin("tsc"), ["-p", "src/web"]);
run(bin("biome"), ["check", "--error-on-warnings", "."]);
run(runtime(), ["--test", "--test-reporter=dot", "test/imports.test.ts", "test/schema-hash.test.ts"]);
console.log("types, lint, format, imports and schemas are fine");
