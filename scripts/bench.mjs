// `npm run bench -- jobs [--quick] [--only CASE]`: installs what is missing (the peers too), builds when there is no build, and measures.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { install, installFolder, root, run, runtime } from "./install.mjs";

install({ withDev: false });
installFolder(join(root, "bench"));
if (!existsSync(join(root, "dist", "build.json"))) run(process.execPath, ["scripts/build.mjs"]);
run(runtime(), [join(root, "bench", "main.ts"), ...process.argv.slice(2)], {
  env: { ...process.env, NODE_OPTIONS: "" },
});
