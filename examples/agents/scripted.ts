import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { handsOf } from "./scripted/hands.ts";
import { type Fields, Peer, RpcError } from "./scripted/peer.ts";
import { readBlocks, readSteps } from "./scripted/script.ts";
import { logPrompt, Store, type StoredSession } from "./scripted/store.ts";
import { playTurn, tell } from "./scripted/turn.ts";

/**
 * An agent of the Agent Client Protocol without a model: it does what the prompt says, line by line. See README.md beside it.
 *
 *     node scripted.ts [script file] [--no-load] [--no-resume] [--fault hang|garbage|login|version|no-session]
 */
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { "no-load": { type: "boolean" }, "no-resume": { type: "boolean" }, fault: { type: "string" } },
});
const [scriptPath] = positionals;
const store = new Store(process.env.SCRIPTED_AGENT_STATE ?? join(process.cwd(), ".scripted-agent"));
const sessions = new Map<string, StoredSession>();
const turns = new Map<string, AbortController>();
const modes = [
  { id: "ask", name: "Ask first" },
  { id: "code", name: "Code" },
];
let clientCapabilities: Fields = {};
let isLoggedIn = flags.fault !== "login";

const peer = new Peer(
  {
    async initialize(params) {
      clientCapabilities = (params.clientCapabilities ?? {}) as Fields;
      if (flags.fault === "hang") await delay(2 ** 31 - 1);
      return {
        protocolVersion: flags.fault === "version" ? 99 : 1,
        agentInfo: { name: "scripted", title: "Scripted agent", version: "1.0.0" },
        authMethods: flags.fault === "login" ? [{ id: "magic-word", name: "Magic word" }] : [],
        agentCapabilities: {
          loadSession: !flags["no-load"],
          sessionCapabilities: { list: {}, close: {}, ...(flags["no-resume"] ? {} : { resume: {} }) },
        },
      };
    },
    authenticate() {
      isLoggedIn = true;
      return {};
    },
    "session/new"(params) {
      if (!isLoggedIn) throw new RpcError(-32000, "log in first");
      if (flags.fault === "no-session") throw new RpcError(-32603, "no session today");
      const session = store.create(String(params.cwd));
      return { sessionId: session.id, ...opened(session) };
    },
    "session/load"(params) {
      const session = find(params);
      for (const update of session.history) peer.notify("session/update", { sessionId: session.id, update });
      return opened(session);
    },
    "session/resume": (params) => opened(find(params)),
    "session/list": () => ({ sessions: store.list().map(({ id, cwd, title }) => ({ sessionId: id, cwd, title })) }),
    "session/close"(params) {
      turns.get(String(params.sessionId))?.abort();
      sessions.delete(String(params.sessionId));
      return {};
    },
    "session/set_mode"(params) {
      const session = liveSession(params);
      if (!modes.some(({ id }) => id === params.modeId)) throw new RpcError(-32602, `no mode ${params.modeId}`);
      session.mode = String(params.modeId);
      store.save(session);
      return {};
    },
    "session/set_config_option"(params) {
      return { configOptions: configOptions(liveSession(params), String(params.value)) };
    },
    "session/prompt": prompt,
  },
  { "session/cancel": ({ sessionId }) => turns.get(String(sessionId))?.abort() },
);

async function prompt(params: Fields): Promise<Fields> {
  const session = liveSession(params);
  const blocks = params.prompt as { type: string; text?: string }[];
  const text = blocks.map((block) => block.text ?? "").join("\n");
  logPrompt(process.env.SCRIPTED_AGENT_LOG, { session: session.id, text });
  for (const content of blocks) session.history.push({ sessionUpdate: "user_message_chunk", content });
  const stop = new AbortController();
  turns.set(session.id, stop);
  try {
    const context = { session, peer, hands: handsOf(clientCapabilities, session.id, peer), signal: stop.signal };
    const firstTitle = session.title === null ? text.split("\n")[0]?.slice(0, 60) : undefined;
    if (firstTitle) retitle(session, firstTitle);
    return { stopReason: await playTurn(readSteps(scriptFor(session, text)), context) };
  } finally {
    turns.delete(session.id);
    store.save(session);
  }
}

/** The next block of the script file, while there is one; else the prompt is the script. */
function scriptFor(session: StoredSession, text: string): string {
  const block = scriptPath === undefined ? undefined : readBlocks(scriptPath)[session.blocksPlayed];
  if (block !== undefined) session.blocksPlayed += 1;
  return block ?? text;
}

function retitle(session: StoredSession, title: string): void {
  session.title = title;
  tell({ session, peer }, { sessionUpdate: "session_info_update", title });
}

function opened(session: StoredSession): Fields {
  sessions.set(session.id, session);
  return {
    modes: { currentModeId: session.mode, availableModes: modes },
    configOptions: configOptions(session, "calm"),
  };
}

function configOptions(_session: StoredSession, currentValue: string): Fields[] {
  const options = ["calm", "brisk"].map((value) => ({ value, name: value }));
  return [{ id: "pace", name: "Pace", type: "select", currentValue, options }];
}

function find(params: Fields): StoredSession {
  const session = store.find(String(params.sessionId));
  if (!session) throw new RpcError(-32002, `no session ${params.sessionId}`);
  return session;
}

function liveSession(params: Fields): StoredSession {
  const session = sessions.get(String(params.sessionId));
  if (!session) throw new RpcError(-32002, `no session ${params.sessionId} is open`);
  return session;
}

if (flags.fault === "garbage") {
  process.stdout.write("Welcome to something else!\n> \n");
  await delay(2 ** 31 - 1);
}
process.stdin.setEncoding("utf8");
await peer.serve(process.stdin as AsyncIterable<string>);
process.exit(0);
