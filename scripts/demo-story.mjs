// The demo's story, for `npm start` and `npm run demo:break`. It is told on any Node ≥ 18, before anything of ours is asked.
import { runtime } from "./install.mjs";

export const AGENTS = ["owl", "fox"];

/** How an agent of the story is started: it has no model, and follows `demo/<name>.script`, a block for each prompt. */
export const newAgent = (name) => [
  "new",
  "--detached",
  "--name",
  name,
  "--agent",
  `${runtime()} agents/scripted.ts demo/${name}.script`,
];

/** What a person says first; everything else follows from it. */
export const FIRST_PROMPT = ["prompt", "fox", "Give the page a better headline."];

/** The app in a browser, as a job: it is there for as long as the rest. */
export const webApp = (port) => ["add", "--name", "app", "--", "warren", "web", "--no-open", "--port", port];
