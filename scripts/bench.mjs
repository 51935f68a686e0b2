// `npm run bench -- jobs [--quick] [--only CASE]`: installs what is missing (the peers too), builds, and measures.
import { join } from "node:path";
import { install, installFolder, root, run, runtime } from "./install.mjs";

install({ withDev: false });
installFolder(join(root, "bench"));
run(process.execPath, ["scripts/build.mjs"]); // an older build would be measured in the name of this commit
run(runtime(), [join(root, "bench", "main.ts"), ...process.argv.slice(2)], {
  env: { ...process.env, NODE_OPTIONS: "" },
});
