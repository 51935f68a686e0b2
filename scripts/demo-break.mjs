// `npm run demo:break`: installs what is missing, builds, and breaks the demo (demo-break.ts says how). Arguments are passed on.
import { install, run, runtime } from "./install.mjs";

install({ withDev: false });
run(process.execPath, ["scripts/build.mjs"]);
run(runtime(), ["scripts/demo-break.ts", ...process.argv.slice(2)]);
