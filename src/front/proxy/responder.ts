/**
 * The seam between the data plane, which moves bytes, and what decides over a request: where it goes, what is answered without a worker, what is put into an
 * answer on its way, and who is told of it afterwards. The data plane implements what is given (`RequestFacts`, `ResponseWriter`); the others are implemented
 * by routing, static files, pages and the logs.
 */

/** Names in lower case. */
export type HeadField = readonly [name: string, value: string];

/** A field that takes the place of all of its name; undefined: they are taken away. */
export type HeadEdit = readonly [name: string, value: string | undefined];

/** A request whose head was read whole and found good. Valid for as long as its exchange lasts; it does not change. */
export interface RequestFacts {
  /** As it was sent: methods have a case. */
  readonly method: string;
  /** Normalised (http/target.ts): begins with `/`, has no `//`, no dot segments, no escaped slash. `*` for OPTIONS of the whole server. */
  readonly path: string;
  /** Without the `?`; absent: there was none. */
  readonly query: string | undefined;
  /** As the Host field has it, with its port if it has one. Absent only in HTTP/1.0. */
  readonly host: string | undefined;
  readonly minorVersion: 0 | 1;
  /** Of the connection, without the prefix of a mapped IPv4 address. */
  readonly remoteAddress: string;
  /** The client came by TLS, to us or to a trusted proxy before us. */
  readonly isSecure: boolean;
  /** Its head says that it has come through a proxy (Forwarded, X-Forwarded-*, Via), believed or not. */
  readonly isForwarded: boolean;
  readonly requestId: string;
  readonly hasBody: boolean;
  /** It asks for a WebSocket. */
  readonly isUpgrade: boolean;
  /** By its name in lower case; several are joined with `, `. Not those that belong to the connection (Connection, Upgrade, lengths, …), nor X-Forwarded-*. */
  field(name: string): string | undefined;
}

/**
 * Called for each request, and once more for one that has waited, when its worker is not `held` any more. Has to be quick: it runs in the path of every
 * request. What it throws is logged and answered with 500.
 */
export type Resolver = (request: RequestFacts) => Target;

export type Target =
  | WorkerTarget
  | SessionTarget
  /** Something small that is ready. */
  | { kind: "answer"; answer: Answer; worker?: string }
  /** Whatever takes longer: files, event streams. */
  | { kind: "responder"; respond: Responder; worker?: string };

/** To an instance of this worker as the table has it: the one with the least in flight, or into the queue while the worker is held. */
export interface WorkerTarget {
  kind: "worker";
  worker: string;
  /** What the worker is asked for: the path, and the query with its `?` if there is one. */
  target: string;
  /** Changes to the request's fields, not to those of the connection. */
  edits?: readonly HeadEdit[];
  transform?: Transform;
}

/** To a program that is no worker: it is never waited for. */
export interface SessionTarget {
  kind: "session";
  name: string;
  host: string;
  /** Where it is asked when nobody listens at `host`: a program that listens on `localhost` may have taken either. */
  otherHost?: string;
  port: number;
  target: string;
}

/** Answered as it stands; length, date and connection fields are ours. HEAD gets it without its body. */
export interface Answer {
  status: number;
  headers: readonly HeadField[];
  /** Text is sent as UTF-8. */
  body: string | Buffer;
}

/**
 * Writes one answer. It may write at once or later, as a promise or not; what it throws before its head is answered with 500, and cuts the connection after
 * it. A request's body is not given to responders: what comes of it is read and thrown away, and the connection closes after the answer.
 */
export type Responder = (request: RequestFacts, response: ResponseWriter) => void | Promise<void>;

export interface ResponseWriter {
  /**
   * Once, first. With a `content-length` among the headers exactly that much has to follow (more or less cuts the connection); without, the answer is chunked,
   * or ends with the connection in HTTP/1.0. Date and connection fields are ours. For HEAD, 204 and 304 nothing of a body is sent, whatever is written.
   */
  head(status: number, headers: readonly HeadField[]): void;
  /**
   * The buffer is the writer's from now on. False: more is queued than should be (256 KiB), so wait for `ready` before the next. After the client has gone it
   * does nothing, and answers false.
   */
  write(chunk: string | Buffer): boolean;
  /** Resolves when there is room again, or there never will be (`isOpen` is false then). */
  ready(): Promise<void>;
  /** Nothing more comes. Safe to call twice. */
  end(chunk?: string | Buffer): void;
  /** Ends it in such a way that the client sees that it is not whole. */
  abort(): void;
  /** False once the client has gone or the answer has ended. */
  readonly isOpen: boolean;
  /** Bytes that the client has not taken yet. */
  readonly queuedBytes: number;
  /** Aborted when the client goes before the end. Made when it is first asked for. */
  readonly signal: AbortSignal;
}

export interface AnswerFacts {
  readonly status: number;
  /** As of a request. */
  field(name: string): string | undefined;
}

/** Looks at a worker's answer when its head has come; undefined: it passes as it is. Never asked for answers without a body. */
export type Transform = (request: RequestFacts, answer: AnswerFacts) => BodyTransform | undefined;

export interface BodyTransform {
  /** By how much the body grows, if that is known: then an answer with a length keeps one. */
  addedBytes: number | undefined;
  /** Changes to the answer's fields. */
  edits?: readonly HeadEdit[];
  /** What may go on now; may be empty, may be the chunk itself. */
  push(chunk: Buffer): Buffer;
  end(): Buffer;
}

/** Why a good request gets an answer that nobody wanted. What is malformed is never asked about: it gets a line of text. */
export interface ExchangeFailure {
  code:
    | "WORKER_UNKNOWN"
    | "WORKER_GONE"
    | "WORKER_FAILED"
    | "WAITED_TOO_LONG"
    | "TOO_MANY_WAIT"
    | "CONNECT_FAILED"
    | "SESSION_SILENT"
    | "CONNECTION_LOST"
    | "BAD_ANSWER"
    | "TOO_LATE"
    | "LOOP"
    | "BODY_TOO_LARGE"
    | "INTERNAL";
  status: 413 | 500 | 502 | 503 | 504 | 508;
  worker: string | undefined;
  /** One sentence. */
  reason: string;
  /** Seconds after which it may work; for Retry-After, which is added by us. */
  retryAfterS: number | undefined;
}

/** Makes a page of a failure; undefined, or what it throws: a line of text is answered. */
export type Explain = (request: RequestFacts, failure: ExchangeFailure) => Answer | undefined;

/** One exchange, when its answer has ended or was given up. Of what could not be read as a request, method and target are "". */
export interface ExchangeRecord {
  requestId: string;
  remoteAddress: string;
  method: string;
  /** The connection was one of TLS. */
  isSecure?: boolean;
  host: string | undefined;
  /** Path and query as the client asked, normalised. */
  target: string;
  worker: string | undefined;
  instance: string | undefined;
  /** 0: the client went before there was an answer. 101: a WebSocket, now closed. */
  status: number;
  /** Bodies, without framing. */
  bytesIn: number;
  bytesOut: number;
  durationMs: number;
}

export type RecordExchange = (exchange: ExchangeRecord) => void;
