// `npm start`: installs what is missing, builds, starts (or finds) this build's server and the example project, and shows what runs and where.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { install, root, run } from "./install.mjs";

install({ withDev: false });
run(process.execPath, ["scripts/build.mjs"]);
const warren = join(root, "bin", "warren");
run(warren, ["up", "--detach"], { cwd: join(root, "examples"), stdio: ["ignore", "ignore", "inherit"] });
// With a terminal it stays and shows what changes, drawing only then; without one it prints the table once.
const view = process.stdout.isTTY ? ["overview", "--watch"] : ["overview"];
process.exit(spawnSync(warren, view, { cwd: join(root, "examples"), stdio: "inherit" }).status ?? 1);
