import type { ConversationInfo } from "../../protocol/conversation.ts";
import { clip, clipTitle } from "./clip.ts";
import { asFields, asList, asNumber, asText, type Fields, RPC, type RpcError } from "./json-rpc.ts";
import type { OwnRequest } from "./open-requests.ts";
import type { Timeline } from "./timeline.ts";

/** Why the agent did not let us in. */
export interface HandshakeFailure {
  method: string;
  code: number;
  message: string;
}

export interface AgentFactsState {
  info: ConversationInfo;
  protocolVersion: number | null;
  isInitialized: boolean;
  isOpen: boolean;
  failure: HandshakeFailure | null;
}

/**
 * What is known of the agent and its session: from the answers to initialize, session/new, session/load and session/resume, and from the updates that
 * replace a part of it. The session's id outlives the agent's process; the rest is learnt again from the next one.
 */
export class AgentFacts {
  readonly #timeline: Timeline;
  #info: ConversationInfo = {};
  #protocolVersion: number | null = null;
  #isInitialized = false;
  #isOpen = false;
  #failure: HandshakeFailure | null = null;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  get info(): ConversationInfo {
    return this.#info;
  }

  get sessionId(): string | undefined {
    return this.#info.session_id ?? undefined;
  }

  get protocolVersion(): number | null {
    return this.#protocolVersion;
  }

  /** initialize was answered. */
  get isInitialized(): boolean {
    return this.#isInitialized;
  }

  /** The session takes prompts. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  get failure(): HandshakeFailure | null {
    return this.#failure;
  }

  /** The agent's answer to a request of ours. */
  answered({ method, about }: OwnRequest, result: Fields, error: RpcError | undefined): void {
    if (error) return this.#refused(method, error);
    if (method === "initialize") this.#initialized(result);
    else if (method === "authenticate") this.#change({ login_required: false });
    else if (method === "session/new") this.#opened(asText(result.sessionId), result);
    else if (method === "session/load" || method === "session/resume") this.#opened(asText(about.sessionId), result);
    else if (method === "session/set_mode") this.#change({ mode: asText(about.modeId) ?? null });
    else if (method === "session/close") this.#isOpen = false;
  }

  /** True when the update is one of those that this class knows. */
  update(update: Fields): boolean {
    switch (update.sessionUpdate) {
      case "current_mode_update":
        this.#change({ mode: asText(update.currentModeId) ?? null });
        return true;
      case "config_option_update":
        this.#configOptions(update);
        return true;
      case "available_commands_update":
        this.#change({ commands: readNamed(update.availableCommands) });
        return true;
      case "session_info_update":
        this.#retitle(update.title);
        return true;
      case "usage_update": {
        const { sessionUpdate: _, ...usage } = update;
        this.#change({ usage: clip(usage) });
        return true;
      }
      default:
        return false;
    }
  }

  /** The agent's process is gone, or a new one begins. */
  reset(): void {
    this.#isInitialized = false;
    this.#isOpen = false;
    this.#failure = null;
    this.#protocolVersion = null;
    if (this.#info.login_required) this.#change({ login_required: false });
  }

  snapshot(): AgentFactsState {
    return {
      info: this.#info,
      protocolVersion: this.#protocolVersion,
      isInitialized: this.#isInitialized,
      isOpen: this.#isOpen,
      failure: this.#failure,
    };
  }

  restore({ info, protocolVersion, isInitialized, isOpen, failure }: AgentFactsState): void {
    this.#info = info;
    this.#protocolVersion = protocolVersion;
    this.#isInitialized = isInitialized;
    this.#isOpen = isOpen;
    this.#failure = failure;
  }

  #initialized(result: Fields): void {
    this.#isInitialized = true;
    this.#protocolVersion = asNumber(result.protocolVersion) ?? null;
    const agent = asFields(result.agentInfo);
    this.#change({
      agent_name: asText(agent?.name) ?? null,
      agent_version: asText(agent?.version) ?? null,
      capabilities: clip(asFields(result.agentCapabilities) ?? {}),
      auth_methods: readIdentified(result.authMethods),
    });
  }

  #opened(sessionId: string | undefined, result: Fields): void {
    if (sessionId === undefined) {
      return this.#refused("session/new", { code: RPC.internal, message: "the answer has no sessionId" });
    }
    this.#isOpen = true;
    this.#failure = null;
    const modes = asFields(result.modes);
    this.#change({
      session_id: sessionId,
      ...(modes
        ? {
            mode: asText(modes.currentModeId) ?? null,
            modes: readIdentified(modes.availableModes),
          }
        : {}),
    });
    if (Array.isArray(result.configOptions)) this.#configOptions(result);
  }

  #refused(method: string, { code, message }: RpcError): void {
    if (code === RPC.authRequired) return this.#change({ login_required: true });
    if (HANDSHAKE.has(method)) this.#failure = { method, code, message: clipTitle(message) };
  }

  #configOptions(from: Fields): void {
    this.#change({ config_options: readIdentified(from.configOptions) });
  }

  #retitle(title: unknown): void {
    if (typeof title === "string") this.#change({ title: clipTitle(title) });
    else if (title === null) this.#change({ title: null });
  }

  #change(info: ConversationInfo): void {
    this.#info = { ...this.#info, ...info };
    this.#timeline.event({ type: "info", info });
  }
}

/** Requests without whose answer there is no session. A failed authenticate is told to who asked for it, and may be tried again. */
const HANDSHAKE = new Set(["initialize", "session/new", "session/load", "session/resume"]);

/** What has no name, or no id, cannot be shown or chosen. */
const readNamed = (list: unknown): (Fields & { name: string })[] => clip(asList(list).filter(hasName));

const readIdentified = (list: unknown): (Fields & { id: string; name: string })[] =>
  clip(asList(list).filter(hasName).filter(hasId));

const hasName = (value: Fields): value is Fields & { name: string } => typeof value.name === "string";
const hasId = <T extends Fields>(value: T): value is T & { id: string } => typeof value.id === "string";
