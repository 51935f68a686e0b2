import { closeSync } from "node:fs";
import { type Clock, systemClock } from "../../platform/clock.ts";
import type { GatewayMode } from "../../protocol/front-messages.ts";
import { HtmlInjection } from "../live/html-injection.ts";
import type { HeadField, ResponseWriter } from "../proxy/responder.ts";
import { type AskedRequest, isReading, type OwnTarget } from "../routing/asked.ts";
import { contentTypeOf } from "./content-type.ts";
import { answerFile, type FileAnswer } from "./file-answer.ts";
import { type FoundFile, PublicFolder } from "./public-folder.ts";
import { type FilePart, readSmall, SMALL_BYTES_MAX } from "./read-file.ts";
import { sendFile } from "./send-file.ts";

/** Answers from public folders. GET and HEAD alone; anything else is a worker's. */
export interface FileAsk {
  /** Absolute. */
  folder: string;
  /** Below the folder: percent-encoded. */
  path: string;
  mode: GatewayMode;
  /** Put into HTML; absent: none. */
  injected: Buffer | undefined;
}

/** A file that is written anew whenever it is read is not ours to wait for. */
const READS_MAX = 3;

export class PublicFiles {
  readonly #clock: Clock;
  #folders = new Map<string, PublicFolder>();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Forgets what it knows of all other folders. */
  keepOnly(paths: Iterable<string>): void {
    this.#folders = new Map([...paths].map((path) => [path, this.#folder(path)]));
  }

  /**
   * Undefined: there is no such file. A responder has the file open: it has to be called.
   * @throws what the system says when it is there and cannot be had.
   */
  answer(request: AskedRequest, ask: FileAsk): OwnTarget | undefined {
    if (!isReading(request.method)) return undefined;
    for (let readCount = 0; readCount < READS_MAX; readCount++) {
      const found = this.#folder(ask.folder).find(ask.path);
      if (found === undefined) return undefined;
      const target = found.kind === "folder" ? withSlash(request) : this.#target(request, ask, found);
      if (target !== undefined) return target;
    }
    return undefined;
  }

  /** Undefined when the file has become shorter than it was a moment ago. The descriptor is closed here unless a responder has it. */
  #target(request: AskedRequest, { mode, injected }: FileAsk, { fd, stats, name }: FoundFile): OwnTarget | undefined {
    const piece = contentTypeOf(name).startsWith("text/html") ? injected : undefined;
    const answer = answerFile({
      method: request.method,
      field: (field) => request.field(field),
      fileName: name,
      stats,
      mode,
      nowMs: this.#clock.wallMs(),
      addedBytes: piece?.length ?? 0,
    });
    const { part } = answer;
    if (part !== undefined && request.method === "GET" && part.lengthBytes > SMALL_BYTES_MAX)
      return inPieces(answer, { fd, ...part, injected: piece });
    try {
      return request.method === "HEAD" || part === undefined ? headAlone(answer) : atOnce(answer, fd, part, piece);
    } finally {
      closeSync(fd);
    }
  }

  #folder(path: string): PublicFolder {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const made = new PublicFolder(path, this.#clock);
    this.#folders.set(path, made);
    return made;
  }
}

function atOnce(
  { status, headers }: FileAnswer,
  fd: number,
  { start, lengthBytes }: { start: number; lengthBytes: number },
  piece: Buffer | undefined,
): OwnTarget | undefined {
  const bytes = readSmall(fd, start, lengthBytes);
  if (bytes === undefined) return undefined;
  return { kind: "answer", answer: { status, headers, body: piece === undefined ? bytes : inject(bytes, piece) } };
}

function inject(bytes: Buffer, piece: Buffer): Buffer {
  const injection = new HtmlInjection(piece);
  return Buffer.concat([injection.push(bytes), injection.end()]);
}

/** By a responder, since the length that is told is not that of what is sent. */
const headAlone = (answer: FileAnswer): OwnTarget => ({
  kind: "responder",
  respond: (_request, response) => {
    response.head(answer.status, headOf(answer));
    response.end();
  },
});

const inPieces = (answer: FileAnswer, part: FilePart): OwnTarget => ({
  kind: "responder",
  respond: async (_request, response) => {
    response.head(answer.status, headOf(answer));
    await respondWith(part, response);
  },
});

async function respondWith(part: FilePart, response: ResponseWriter): Promise<void> {
  const { isWhole, error } = await sendFile(part, response);
  if (isWhole) response.end();
  else response.abort();
  if (error !== undefined) throw error;
}

const headOf = ({ headers, lengthBytes }: FileAnswer): readonly HeadField[] =>
  lengthBytes === undefined ? headers : [...headers, ["content-length", String(lengthBytes)]];

/** To the same place as the browser knows it: a rewrite is not told. */
function withSlash({ path, query }: AskedRequest): OwnTarget {
  const location = `${path}/${query === undefined ? "" : `?${query}`}`;
  return { kind: "answer", answer: { status: 308, headers: [["location", location]], body: "" } };
}
