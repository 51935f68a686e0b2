// `npm start`: installs what is missing, builds, starts (or finds) this build's server, plays the demo on examples/, and shows what runs and where.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { resetPage } from "../examples/site/page.mjs";
import { AGENTS, FIRST_PROMPT, newAgent, webApp } from "./demo-story.mjs";
import { install, root, run } from "./install.mjs";

/** By then the question is asked, on a slow machine too. */
const STORY_TIMEOUT = "20s";

const beganMs = Date.now();
install({ withDev: false });
// An installation builds as well, unless npm was told to run no scripts.
if (!isBuiltSince(beganMs)) run(process.execPath, ["scripts/build.mjs"]);
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

const isNew = !isTold();
if (isNew) resetPage();
run(join(bin, "warren"), ["up", "--detach"], { ...where, stdio: ["ignore", "ignore", "inherit"] });
const isPlayed = isNew && (await playStory());

// With a terminal it stays and shows what changes, drawing only then; without one it prints the table once.
const isTerminal = Boolean(process.stdout.isTTY);
if (isPlayed && !isTerminal)
  warren(["wait", "owl", "--for", "needs-you", "--timeout", STORY_TIMEOUT, "--quiet"], { stdio: "ignore" });
process.on("SIGINT", () => {}); // Ctrl-C is the view's: it ends, and we say the rest
const { status } = warren(["overview", ...(isTerminal ? ["--watch"] : []), "--tour"], {
  stdio: "inherit",
  // As the shell has it that will be typed into: where it does not find warren, the first line to type mends that.
  env: { ...where.env, PATH: process.env.PATH },
});
if (isTerminal && status === 0) console.log("It lives in examples/ (cd examples); npm start shows this table again.");
process.exit(status ?? 1);

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

function isBuiltSince(atMs) {
  return (statSync(join(root, "dist", "build.json"), { throwIfNoEntry: false })?.mtimeMs ?? 0) > atMs;
}

/** Once; a second start finds the agents where they are. */
function isTold() {
  const names = (warren(["sessions", "--quiet"]).stdout ?? "").split("\n");
  return AGENTS.some((name) => names.includes(name));
}

/** Two agents without a model: fox changes the page, owl tests it and asks whether it may go out. */
async function playStory() {
  const quiet = { stdio: ["ignore", "ignore", "inherit"] };
  for (const name of AGENTS) if (warren(newAgent(name), quiet).status !== 0) return false;
  warren(FIRST_PROMPT, { stdio: "ignore" });
  warren(webApp(await freePort(7118)), quiet);
  return true;
}
