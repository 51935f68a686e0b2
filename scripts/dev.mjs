// `npm run dev -- VERB …`: builds and runs the command line. With no verb it rebuilds on every change under src/ and reloads the running server.
import { spawnSync } from "node:child_process";
import { watch } from "node:fs";
import { join } from "node:path";
import { install, root, run } from "./install.mjs";

const REBUILD_DELAY_MS = 100;

install({ withDev: true });
run(process.execPath, ["scripts/build.mjs"]);
const warren = join(root, "bin", "warren");
const verb = process.argv.slice(2);
if (verb.length > 0) process.exit(spawnSync(warren, verb, { stdio: "inherit" }).status ?? 1);

run(warren, ["ping"]);
console.log("watching src/: each change is built, and the server reloaded; Ctrl-C ends the watch");
let timer;
watch(join(root, "src"), { recursive: true }, () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (spawnSync(process.execPath, ["scripts/build.mjs"], { cwd: root, stdio: "inherit" }).status === 0)
      spawnSync(warren, ["reload"], { stdio: "inherit" });
  }, REBUILD_DELAY_MS);
});
