import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, NO_OPERANDS } from "../command.ts";

export const agentsMd = defineCommand({
  usage: ["agents-md"],
  details: "Prints a section for an AGENTS.md that teaches a coding agent to use Warren.",
  examples: [
    { command: "warren agents-md >> AGENTS.md", does: "teaches the agents of this project" },
    { command: "warren agents-md | less", does: "what they are taught" },
  ],
  options: {},
  operands: NO_OPERANDS,
  async run({ output }) {
    output.line(AGENTS_MD);
    return EXIT.ok;
  },
});

const AGENTS_MD = `## Commands that run long: use warren

What you start with \`warren\` outlives your shell and your turn; nobody has to guess whether it still runs.

- Tests, builds, anything that ends: \`warren run -q npm test\`
  Silent on success; prints the output when it fails; exits with the command's own status
  (128+n for a signal, 124 at \`--timeout 10m\`, 121 stuck: no output for long, it goes on, 120 lost,
  126 and 127 not startable, 125 an error of Warren's, 2 a wrong command line).
- Servers and watchers: \`warren add --name web --wait-for port=3000 -- npm run dev\`
  Returns when it listens. Adding the same command again changes nothing, so do it freely.
- Wait for something: \`warren wait web --for port=3000 --timeout 30s\`
  Conditions: exit, port, port=N, log=TEXT, log=/RE/i, http=URL, idle=30s. Never sleep.
- Read only what is new: \`warren logs web --cursor --max-bytes 20k\`
  Each call goes on where the last one ended. \`--grep /error/i\` and \`--tail 50\` help as well.
- Only for this session: \`warren add --owner-pid $PPID -- npm run dev\` ends it, tree and all, when the process
  that started your shell ends; \`warren list --mine\` shows those.
- What runs here: \`warren list\` (\`--json\` for programs). Why it failed: \`warren why NAME\`.
- Change code, then \`warren restart web\`. Finished: \`warren stop web\`; it ends the whole process tree.
- The whole project, where there is a warren.yaml: \`warren up --detach\`, \`warren down\`.

Do not use \`&\`, \`nohup\`, \`kill\` or \`pkill\` for these. Names are the address: every command takes a name or an id.
Errors come with the command that mends them on the next line. \`warren help VERB\` tells more.`;
