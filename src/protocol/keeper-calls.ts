/** The keeper's calls: JSON in a call frame, `{"call": name, …}`; answers are `{"ok":true,"data":…}` or `{"ok":false,"code","error","fix"}`. */

export const KEEPER_CONTRACT = 1;

/** How to start one process of a server. The keeper starts it as it is told and looks at nothing inside. */
export interface ServerSpec {
  name: string;
  /** The build's hash: one server per hash. */
  hash: string;
  /** argv of a generation. It finds the listening socket on fd 3 and the keeper's control line on fd 4. */
  command: string[];
  logPath: string;
}

export interface ServerStartCall {
  call: "server.start";
  spec: ServerSpec;
  /** The public socket's path. */
  socketPath: string;
  /** Started instead when three starts of `spec` have failed: the last good build. */
  fallback?: ServerSpec;
}

export interface ServerReplaceCall {
  call: "server.replace";
  spec: ServerSpec;
}

export interface KeeperServer {
  name: string;
  hash: string;
  pid: number;
  generation: number;
  socketPath: string;
  state: "starting" | "ready" | "replacing" | "failed" | "ending";
  /** Why the build that was asked for is not the one that runs. */
  fellBack?: string;
}

export type KeeperCall =
  | { call: "hello" }
  | { call: "list" }
  | ServerStartCall
  | ServerReplaceCall
  | { call: "server.stop"; name: string; force?: boolean };

export interface KeeperAnswers {
  hello: { contract: number; pid: number; home: string };
  list: { servers: KeeperServer[] };
  "server.start": KeeperServer;
  "server.replace": KeeperServer;
  "server.stop": { stopped: boolean };
}

export type KeeperAnswer =
  | { ok: true; data: unknown }
  | { ok: false; code: string; error: string; fix?: string; detail?: Record<string, unknown> };

/** Words on the control line between the keeper and a generation, one a line. */
export const CONTROL = {
  /** Generation: loaded; nothing taken over yet. */
  warm: "warm",
  /** Keeper: the way is free, take over. */
  go: "go",
  /** Generation: serving. */
  ready: "ready",
  /** Keeper: finish what is in hand, hand over, exit 0. */
  drain: "drain",
} as const;
