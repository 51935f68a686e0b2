import { createHash, hash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { systemCode } from "../../protocol/errors.ts";

/**
 * Hashes of files' contents. A file is read again only when its inode, size, modification or change time is another, so that looking again costs one stat(2).
 * Two writes within one tick of the file system's clock leave the same times; so what was changed just now is not remembered.
 */
interface Entry {
  ino: bigint;
  size: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
  hash: string;
}

/** What is held of a file at a time: one may be of any size. */
const PIECE_BYTES = 256 * 1024;
/** Read at a time; the others wait. */
const READING_MAX = 8;
/** Above the tick of every file system's clock (ext4: 4 ms; some network file systems: 1 s, which is their risk). */
const FRESH_NS = 100_000_000n;
/** Of what is no longer asked for. */
const ENTRIES_MAX = 20_000;

/** What asks for hashes; each file has one answer as long as it is asked by the same. */
export interface HashesOfFiles {
  of(path: string): Promise<string | undefined>;
  ofAll(paths: readonly string[], nameOf: (path: string) => string): Promise<string>;
}

export class FileHashes implements HashesOfFiles {
  readonly #entries = new Map<string, Entry>();
  readonly #wallMs: () => number;
  readonly #open: typeof open;
  readonly #reading = new AtMost(READING_MAX);

  /** `open`: for tests that count what is read. */
  constructor(options: { wallMs?: () => number; open?: typeof open } = {}) {
    this.#wallMs = options.wallMs ?? Date.now;
    this.#open = options.open ?? open;
  }

  /** Undefined: there is no such file, or it may not be read. */
  async of(path: string): Promise<string | undefined> {
    try {
      const known = this.#entries.get(path);
      if (known && isSame(known, await stat(path, { bigint: true }))) return known.hash;
      return await this.#reading.take(() => this.#read(path));
    } catch (error) {
      this.#entries.delete(path);
      if (["ENOENT", "ENOTDIR", "EISDIR", "EACCES", "ELOOP"].includes(systemCode(error) ?? "")) return undefined;
      throw error;
    }
  }

  /** One hash of many files: of their names, as `nameOf` gives them, and contents. A missing one counts as such. */
  ofAll(paths: readonly string[], nameOf: (path: string) => string): Promise<string> {
    return hashOfAll((path) => this.of(path), paths, nameOf);
  }

  /** As of now: each file is looked at once, however often it is asked for. */
  asOfNow(): HashesOfFiles {
    const seen = new Map<string, Promise<string | undefined>>();
    const of = (path: string): Promise<string | undefined> => {
      const known = seen.get(path) ?? this.of(path);
      seen.set(path, known);
      return known;
    };
    return { of, ofAll: (paths, nameOf) => hashOfAll(of, paths, nameOf) };
  }

  async #read(path: string): Promise<string | undefined> {
    await using file = await this.#open(path);
    const before = await file.stat({ bigint: true });
    if (!before.isFile()) return undefined;
    const content = await hashOf(file, before.size);
    const { ino, size, mtimeNs, ctimeNs } = before;
    const youngest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
    if (BigInt(Math.trunc(this.#wallMs())) * 1_000_000n - youngest < FRESH_NS) this.#entries.delete(path);
    else this.#keep(path, { ino, size, mtimeNs, ctimeNs, hash: content });
    return content;
  }

  #keep(path: string, entry: Entry): void {
    this.#entries.delete(path);
    this.#entries.set(path, entry);
    if (this.#entries.size <= ENTRIES_MAX) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }
}

/** Lets so many at a time do what they wait for, in their order. */
class AtMost {
  readonly #waiting: (() => void)[] = [];
  #freeCount: number;

  constructor(count: number) {
    this.#freeCount = count;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#freeCount > 0) this.#freeCount -= 1;
    else await new Promise<void>((begin) => this.#waiting.push(begin));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#freeCount += 1;
    }
  }
}

async function hashOf(file: FileHandle, size: bigint): Promise<string> {
  const content = createHash("sha256");
  const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, Number(size) + 1));
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, piece.length);
    if (bytesRead === 0) return content.digest("hex");
    content.update(piece.subarray(0, bytesRead));
  }
}

async function hashOfAll(
  of: (path: string) => Promise<string | undefined>,
  paths: readonly string[],
  nameOf: (path: string) => string,
): Promise<string> {
  const sorted = [...new Set(paths)].sort();
  const hashes = await Promise.all(sorted.map(of));
  return digestOf(sorted.map((path, at) => `${nameOf(path)}\0${hashes[at] ?? "-"}`));
}

export const digestOf = (lines: readonly string[]): string => hash("sha256", lines.join("\n"));

const isSame = (known: Entry, now: BigIntStats): boolean =>
  known.ino === now.ino && known.size === now.size && known.mtimeNs === now.mtimeNs && known.ctimeNs === now.ctimeNs;
