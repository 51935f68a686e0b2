/**
 * What the server and a front say to each other: one JSON object a line, on the front's own socket. The server dials, the front greets, the server tells
 * the whole table, and from then on whatever changes. Builds of different age speak it with each other during a reload, so fields are added, never changed.
 * The whole table may be told at any time again; telling the same twice changes nothing.
 */
export const FRONT_FORMAT = 1;

export type GatewayMode = "dev" | "prod";

/** What a front goes by. Also its file on disk, from which a front starts that nobody has told anything. */
export interface FrontTable {
  format: number;
  /** Grows with each table and each worker that is told. */
  revision: number;
  mode: GatewayMode;
  /** The project's name, for pages and logs. */
  project: string;
  /** In any order: the front finds the most specific (host, then the longest path, then methods). */
  routes: FrontRoute[];
  workers: FrontWorker[];
  /** Instances that get nothing new and whose last exchange is waited for. */
  draining: string[];
  /** The project's own public folder: absolute. */
  publicDir?: string;
  /** Addresses and networks (`10.0.0.0/8`) whose forwarding fields are believed. */
  trustedProxies: string[];
  /** `/metrics` is answered on the public port. */
  hasPublicMetrics: boolean;
  /** `fox.localhost`: the programs of sessions, by name. */
  sessions: { name: string; port: number }[];
  limits?: Partial<FrontLimits>;
  /** Absent: plain HTTP alone. */
  tls?: FrontTls;
}

/** Paths, never what is in the files: a table is written to disk. */
export interface FrontTls {
  /** Absolute paths of PEM files. The first is for clients that name no host, or one that no certificate has. */
  certificates: { cert: string; key: string }[];
  /** What is done with plain HTTP on the same port: 308 to https, served as it is, or 400. */
  plain: "redirect" | "serve" | "refuse";
}

/** One pair of files, as the front serves it. */
export interface FrontCertificate {
  cert: string;
  /** Names and wildcards of what is served. */
  hosts: string[];
  /** RFC 3339. Absent: nothing is served of it. */
  expiresAt?: string;
  /** Why the files as they are now are not taken up; what was read before serves on. */
  problem?: string;
}

/** Milliseconds and bytes; defaults: docs/gateway.md. */
export interface FrontLimits {
  headMs: number;
  bodyIdleMs: number;
  idleMs: number;
  answerMs: number;
  bodyBytesMax: number;
  /** Bytes a second, measured over 30 s; 0: no limit. Additive, as is what follows: a server of an older build does not say it. */
  bodyBytesPerS: number;
  /** Of clients, at a time; the front lowers it to what its descriptors allow. */
  connectionsMax: number;
}

/** A route's host is exact or `*.example.org`, in lower case, without port; absent: any. A path matches on segment boundaries: `/api` is `/api` and `/api/x`. */
export interface RouteMatch {
  host?: string;
  path: string;
  /** In upper case; absent: all. GET brings HEAD. */
  methods?: string[];
}

export type FrontRoute = RouteMatch &
  (
    | { kind: "worker"; worker: string /** The path is taken off before the worker sees it. */; strip: boolean }
    /** `to` takes the place of the matched path; what follows it stays. The result is routed again, 8 times at most. */
    | { kind: "rewrite"; to: string }
    /** `to` as for a rewrite, or an absolute URL. */
    | { kind: "redirect"; to: string; status: 301 | 302 | 307 | 308 }
  );

export interface FrontWorker {
  name: string;
  /** `static` has no instances: its folder is all that it has. `url`: instances are elsewhere, and nobody starts them. */
  kind: "http" | "static" | "url";
  state: "serving" | "held" | "failed" | "gone";
  /** Those that get new requests: all healthy, all of one version. */
  instances: FrontInstance[];
  /** The worker's public folder: absolute. */
  publicDir?: string;
  /** How long a request waits at most while the worker is held: milliseconds. Absent: as long as the pause lasts. */
  holdMs?: number;
  /** What `failed` answers with. */
  failure?: BuildFailure;
  /** For `gone` and for an overlong wait: why. */
  reason?: string;
  /** The live reload script is put into its HTML. */
  isLive: boolean;
}

export interface FrontInstance {
  id: string;
  version: string;
  host: string;
  port: number;
  /** Of a `url` worker: `https`. */
  isTls?: boolean;
  /** A PEM file with the authorities that are trusted there; absolute. Absent: those that Node knows. */
  ca?: string;
}

/** Why there is no new version: shown as a page, as JSON to a program. */
export interface BuildFailure {
  worker: string;
  /** RFC 3339. */
  at: string;
  /** `build`: it could not be built; `start`: it was built, and does not come up. */
  phase: "build" | "start";
  message: string;
  /** 1-based; `file` relative to the project. */
  places: { file: string; line: number; column: number; message: string; frame: string[] }[];
  /** The last lines of the build or the instance. */
  output: string[];
}

export type ServerToFront =
  | { type: "table"; table: FrontTable }
  /** One worker, in the place of that name, and who drains besides those that did; applied as one. */
  | { type: "worker"; revision: number; worker: FrontWorker; draining: string[] }
  /** Ends what an instance has still open: WebSockets with 1012, spread over `spreadMs`; others are cut after it. */
  | { type: "close"; instance: string; spreadMs: number }
  /** Tells the browsers that show pages of these workers; `css`: only these style sheets (paths as the browser asks for them) have changed. */
  | { type: "reload"; workers: string[]; css?: string[] }
  /** Shown by `/health`, by worker. */
  | { type: "health"; workers: WorkerHealth[] }
  /**
   * In development: where a worker's sources lie. The front watches them too, in the loop in which it takes requests, so that none that comes after a change
   * goes by what was before it. An empty one: no more.
   */
  | { type: "watch"; worker: string; watched: WatchedSources }
  /** What the front saw up to this sign is in what it was told of that worker. */
  | { type: "seen"; worker: string; sign: number }
  | { type: "stats"; id: number }
  /** It is about to end for good: idle connections are closed, and others after their answer. */
  | { type: "end" };

/** Each change of a file of `files` matters, and that others come and go directly in one of `dirs`: files whose name matches `names`, folders unless they are apart. */
export interface WatchedSources {
  /** Absolute; each is watched by itself. */
  dirs: string[];
  /** Absolute. */
  files: string[];
  /** A regular expression, for names without their folders. */
  names: string;
  /** Another, for names of folders in which there never are sources. */
  noFolders: string;
  /** Such folders by their absolute paths. */
  apart: string[];
}

export interface WorkerHealth {
  worker: string;
  state: string;
  reason?: string;
  instances: { id: string; version: string; state: string }[];
}

export type FrontToServer =
  /** First: what it is, and up to where it knows. */
  | {
      type: "hello";
      format: number;
      pid: number;
      generation: number;
      hash: string;
      revision: number;
      isEnding: boolean;
    }
  /** That table or worker is in force: every request from now on goes by it. */
  | { type: "applied"; revision: number }
  /** Nothing is in flight at an instance of `draining`. Said once for each table in which it drains, as soon as it is true. */
  | { type: "drained"; instance: string }
  /** What the front saw of an instance since it was last said, at most four times a second. */
  | ({ type: "trouble"; instance: string } & TroubleCounts)
  /** Requests wait for a worker: when the first does, and when none does any more (0). */
  | { type: "waiting"; worker: string; count: number }
  /** The front holds a worker because its sources may have changed, until `seen` says this number or a later one. */
  | { type: "sign"; worker: string; sign: number }
  | { type: "stats"; id: number; stats: FrontStats };

/** What became of an instance's exchanges since it was last told. */
export interface TroubleCounts {
  /** It took no connection. */
  refused: number;
  /** It closed a connection before it had answered, or in the midst of it. */
  reset: number;
  /** It did not begin to answer in time. */
  late: number;
  /** It answered something that is not HTTP. */
  bad: number;
  /** It answered 5xx. */
  failed: number;
  /** Exchanges that have ended, in whatever way. */
  total: number;
}

export interface FrontStats {
  connections: number;
  requests: number;
  inFlight: Record<string, number>;
  waiting: Record<string, number>;
  /** By worker, since the front's start. */
  workers: Record<string, { requests: number; failed: number; bytesOut: number; p50Ms: number; p99Ms: number }>;
  /** Where TLS is configured. */
  tls?: { certificates: FrontCertificate[]; failedHandshakes: number };
  /** Prometheus text (version 0.0.4). */
  metrics: string;
}
