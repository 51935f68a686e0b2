import type { Stage } from "../stage.ts";
import type { Backend } from "./backend.ts";

/** One HTTP proxy under measurement, pinned to PROXY_CORE, in front of the backend. */
export interface RunningProxy {
  readonly name: string;
  readonly port: number;
  /** The processes that carry requests; of Warren the front. */
  readonly pids: readonly number[];
  /** It answers FILE_PATH by itself. */
  readonly hasFiles: boolean;
  readonly hasWebSockets: boolean;
}

/** `/ws` goes to the backend's WebSockets, FILE_PATH to a file, everything else to the backend. */
export interface ProxySite {
  stage: Stage;
  backend: Backend;
  /** Tells apart those of several cases. */
  label: string;
  /** Holds FILE_PATH. */
  publicDir: string;
  /** FILE_PATH is asked for. Otherwise Warren's project has no public folder, in which it would look first at each request. */
  isWithFile: boolean;
  ending: AsyncDisposableStack;
}

export interface ProxyKind {
  readonly name: string;
  /** Undefined: it is not there. */
  version(stage: Stage): Promise<string | undefined>;
  start(site: ProxySite): Promise<RunningProxy>;
}

export const WEB_SOCKET_PATH = "/ws";
export const FILE_PATH = "/page.txt";
export const FILE_BYTES = 4 * 1024;
