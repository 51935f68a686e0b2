// `npm start`: installs what is missing, builds, starts (or finds) this build's server, plays the demo on examples/, and shows what runs and where.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { resetPage } from "../examples/site/page.mjs";
import { install, root, run, runtime } from "./install.mjs";

/** By then the question is asked, on a slow machine too. */
const STORY_TIMEOUT = "20s";

install({ withDev: false });
run(process.execPath, ["scripts/build.mjs"]);
const bin = join(root, "bin");
// What the agents type is found as it would be on a machine where Warren is installed.
const where = {
  cwd: join(root, "examples"),
  env: { WARREN_GATEWAY_PORT: await freePort(8080), ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
};
const warren = (args, options = {}) =>
  spawnSync(join(bin, "warren"), args, {
    ...where,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    ...options,
  });

run(join(bin, "warren"), ["up", "--detach"], { ...where, stdio: ["ignore", "ignore", "inherit"] });
const isTold = playStory();
// With a terminal it stays and shows what changes, drawing only then; without one it prints the table once.
const isTerminal = Boolean(process.stdout.isTTY);
if (isTold && !isTerminal)
  warren(["wait", "owl", "--for", "needs-you", "--timeout", STORY_TIMEOUT, "--quiet"], { stdio: "ignore" });
const view = isTerminal ? ["overview", "--watch", "--tour"] : ["overview", "--tour"];
process.exit(warren(view, { stdio: "inherit" }).status ?? 1);

/** That one, or any when another program has it. */
async function freePort(port) {
  const server = createServer().listen(port, "127.0.0.1");
  const isFree = await once(server, "listening").then(
    () => true,
    () => false,
  );
  server.close();
  return isFree ? String(port) : "0";
}

/** Two agents without a model: fox changes the page, owl tests it and asks whether it may go out. Once; a second start finds them where they are. */
function playStory() {
  const { stdout } = warren(["sessions", "--quiet"]);
  const names = (stdout ?? "").split("\n");
  if (names.includes("fox") || names.includes("owl")) return false;
  resetPage();
  for (const name of ["owl", "fox"]) {
    const agent = `${runtime()} agents/scripted.ts demo/${name}.script`;
    const { status } = warren(["new", "--detached", "--name", name, "--agent", agent], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    if (status !== 0) return false;
  }
  warren(["prompt", "fox", "Give the page a better headline."], { stdio: "ignore" });
  return true;
}
