import type { Client } from "../client/client.ts";
import type { Build } from "../platform/build.ts";
import type { Places } from "../platform/paths.ts";
import type { MachineDoor } from "./on/machine-door.ts";
import type { Output } from "./output.ts";

/** What a command may use of the world; made once, in `main.ts`. */
export interface Context {
  env: Readonly<NodeJS.ProcessEnv>;
  /** What was typed behind `warren`. */
  said: readonly string[];
  /** The caller's directory, without symbolic links. */
  cwd: string;
  places: Places;
  build: Build;
  output: Output;
  /** Another machine, whose units are meant (`--on`); undefined: this one. */
  machine?: MachineDoor;
  /** The process that started us. */
  parentPid: number;
  /** Milliseconds since 1970. */
  nowMs(): number;
  /**
   * The client of the server that has the jobs, the same at every call, closed when the command ends. `find` starts nothing: its requests fail with NO_SERVER when no server
   * runs. Default: `start`.
   */
  client(mode?: "start" | "find"): Client;
  /** Another connection, for a subscription: a client has one. With `find`, one that waits for a server, and brings none back. Default: `start`. */
  ownClient(mode?: "start" | "find"): Client;
  /** Has this one closed when the command ends, and answers it. */
  ownedClient(client: Client): Client;
  /** Aborts at Ctrl-C. Until a command asks for it, Ctrl-C ends the process; after it, a second Ctrl-C does. */
  interrupted(): AbortSignal;
}
