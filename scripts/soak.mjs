// `npm run test:soak`: installs what is missing, builds, and lets everything run at once for an hour (WARREN_SOAK_MINUTES, WARREN_SEED; see test/soak).
import { spawn } from "node:child_process";
import { join } from "node:path";
import { install, root, run, runtime } from "./install.mjs";

install({ withDev: true });
run(process.execPath, ["scripts/build.mjs"]);
const env = { ...process.env, NODE_OPTIONS: "" };
const soak = spawn(runtime(), [join(root, "test", "soak", "main.ts")], { cwd: root, stdio: "inherit", env });
// Whoever ends this waits until the run has ended all that it started.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => soak.kill(signal));
soak.on("exit", (status) => {
  process.exitCode = status ?? 1;
});
