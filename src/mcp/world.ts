import type { Build } from "../platform/build.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Places } from "../platform/paths.ts";
import type { Mailbox } from "./mail/mailbox.ts";
import type { OnDemandClient } from "./on-demand-client.ts";

/** What tools may use of the world; made once, in `main.ts`. */
export interface World {
  env: Readonly<NodeJS.ProcessEnv>;
  /** Where the client started us: its project. */
  cwd: string;
  places: Places;
  build: Build;
  clock: Clock;
  log: Log;
  /** The server that has the jobs. */
  primary: OnDemandClient;
  mail: Mailbox;
}
