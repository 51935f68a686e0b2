import type { WarrenError } from "../../protocol/errors.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import * as errors from "./agent-errors.ts";
import type { Conversation } from "./conversation.ts";
import { asFields, type Fields, RPC, type RpcError } from "./json-rpc.ts";
import type { Answer, Deadline, OwnCalls } from "./own-calls.ts";

/** The version of the protocol that we speak. */
const ACP_VERSION = 1;

export interface HandshakeOptions {
  conversation: Conversation;
  calls: OwnCalls;
  client: { name: string; version: string };
  cwd: string;
  /** The agent's session to take up, when the conversation knows none. */
  resume?: string;
  hasTerminals: boolean;
  initializeMs: number;
}

/** For session/new, session/load and session/resume: an agent may start its tools then, or read a long history. */
const OPEN_MS = 120_000;

/** The protocol asks for the list; an agent has its own. */
const NO_MCP_SERVERS: readonly Fields[] = [];

const OPENING: readonly string[] = ["session/new", "session/load", "session/resume"];

/**
 * From whatever point the conversation is at to an open session: initialize, then session/new, or session/resume or session/load with the very session
 * that there was. What a former server has sent is awaited, not sent again; what was refused once is not asked again.
 * @throws AGENT_NEEDS_LOGIN, AGENT_NOT_ANSWERING, AGENT_SPEAKS_GARBAGE, AGENT_REFUSED, AGENT_PROTOCOL, AGENT_CANNOT_RESUME, AGENT_ENDED
 */
export async function shakeHands(options: HandshakeOptions): Promise<void> {
  const { conversation } = options;
  if (conversation.connection.failure) throw refusal(options);
  await initialize(options);
  if (conversation.connection.isOpen) return;
  if (conversation.info.login_required) throw errors.agentNeedsLogin(conversation.info.auth_methods ?? []);
  const { error } = await openSession(options);
  if (error?.code === RPC.authRequired) throw errors.agentNeedsLogin(conversation.info.auth_methods ?? []);
  if (!conversation.connection.isOpen) throw refusal(options, error);
}

async function initialize(options: HandshakeOptions): Promise<void> {
  const { conversation, calls } = options;
  if (!conversation.connection.isInitialized) {
    await answerTo(options, ["initialize"], deadline(conversation, "initialize", options.initializeMs), (late) =>
      calls.call("initialize", initializeParams(options), late),
    ).catch((error: unknown) => {
      throw explainedRefusal(conversation, error);
    });
    if (conversation.connection.failure) throw refusal(options);
  }
  const { protocolVersion } = conversation.connection;
  if (protocolVersion !== ACP_VERSION) throw errors.agentProtocol(protocolVersion, ACP_VERSION);
}

function openSession(options: HandshakeOptions): Promise<Answer> {
  const { conversation, calls, cwd } = options;
  return answerTo(options, OPENING, deadline(conversation, "session/new", OPEN_MS), (late) => {
    const sessionId = conversation.sessionId ?? options.resume;
    if (sessionId === undefined) return calls.call("session/new", { cwd, mcpServers: NO_MCP_SERVERS }, late);
    return calls.call(resumeBy(conversation, sessionId), { sessionId, cwd, mcpServers: NO_MCP_SERVERS }, late);
  });
}

/** session/resume tells nothing again, session/load tells everything: which one is wanted depends on what is known here. */
function resumeBy(conversation: Conversation, sessionId: string): string {
  const capabilities = conversation.info.capabilities ?? {};
  const canLoad = capabilities.loadSession === true;
  const canResume = asFields(asFields(capabilities.sessionCapabilities)?.resume) !== undefined;
  if (canResume && (conversation.hasHistory || !canLoad)) return "session/resume";
  if (canLoad) return "session/load";
  throw errors.cannotResume(sessionId, "it offers neither session/resume nor session/load");
}

/** The answer to the request among `methods` that is open, or to the one that `ask` sends. */
function answerTo(
  { conversation, calls }: HandshakeOptions,
  methods: readonly string[],
  late: Deadline,
  ask: (late: Deadline) => Promise<Answer>,
): Promise<Answer> {
  const open = conversation.ownRequests.find(({ method }) => methods.includes(method));
  return open ? calls.answerTo(open.id, late) : ask(late);
}

const initializeParams = ({ client, hasTerminals }: HandshakeOptions): Fields => ({
  protocolVersion: ACP_VERSION,
  clientCapabilities: { fs: { readTextFile: true, writeTextFile: true }, terminal: hasTerminals },
  clientInfo: { name: client.name, title: "Warren", version: client.version },
});

const deadline = (conversation: Conversation, method: string, afterMs: number): Deadline => ({
  afterMs,
  late: () => explainedRefusal(conversation, errors.agentNotAnswering(method, afterMs)) as WarrenError,
});

/** The same, unless it is silence or an early end of a program that has written something else than the protocol. */
export function explainedRefusal(conversation: Conversation, error: unknown): unknown {
  const isSilence = isWarrenError(error, "AGENT_NOT_ANSWERING") || isWarrenError(error, "AGENT_ENDED");
  const text = conversation.garbageText;
  return isSilence && text !== undefined ? errors.agentSpeaksGarbage(text) : error;
}

function refusal({ conversation, resume }: HandshakeOptions, error?: RpcError): WarrenError {
  const { method, code, message } = conversation.connection.failure ?? {
    method: "session/new",
    code: error?.code ?? RPC.internal,
    message: error?.message ?? "no reason given",
  };
  const isResume = method === "session/load" || method === "session/resume";
  const sessionId = conversation.sessionId ?? resume ?? "";
  return isResume ? errors.cannotResume(sessionId, message) : errors.agentRefused(method, code, message);
}
