// `npm start --prefix bench/mcp-conformance`: installs the official checks (in this folder alone), builds when there is no build, and runs them against `warren mcp`.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { install, installFolder, root, run, runtime } from "../../scripts/install.mjs";

install({ withDev: false });
installFolder(import.meta.dirname);
if (!existsSync(join(root, "dist", "build.json"))) run(process.execPath, ["scripts/build.mjs"]);
run(runtime(), [join(import.meta.dirname, "checks.ts")], { env: { ...process.env, NODE_OPTIONS: "" } });
