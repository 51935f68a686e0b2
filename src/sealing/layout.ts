import { utf8 } from "./bytes.ts";
import { formInvalid } from "./errors.ts";

/**
 * Byte layouts as tables: a field knows how to write and read itself, a layout is named fields in order. Reading is strict: what is cut,
 * left over, not UTF-8 or too large is FORM_INVALID, and nothing is allocated that the input did not bring. Integers are big-endian.
 */

export interface Field<T> {
  write(value: T, writer: Writer): void;
  read(reader: Reader): T;
}

export type ValuesOf<Fields> = { [Name in keyof Fields]: Fields[Name] extends Field<infer T> ? T : never };

export interface Layout<T> {
  encode(value: T): Uint8Array;
  /** Bytes in the result are views of `bytes`. @throws FORM_INVALID */
  decode(bytes: Uint8Array): T;
}

/** @param what names the thing in errors: "pairing code" */
export function layout<const Fields extends Record<string, Field<unknown>>>(
  what: string,
  fields: Fields,
): Layout<ValuesOf<Fields>> {
  const whole = struct(fields);
  return {
    encode: (value) => encodeWith(what, (writer) => whole.write(value, writer)),
    decode: (bytes) => decodeWith(what, bytes, (reader) => whole.read(reader)),
  };
}

/** Named fields in the order in which they are written here. */
export function struct<const Fields extends Record<string, Field<unknown>>>(fields: Fields): Field<ValuesOf<Fields>> {
  const entries = Object.entries(fields) as unknown as [string, Field<unknown>][];
  return {
    write(value, writer) {
      for (const [name, field] of entries) field.write((value as Record<string, unknown>)[name], writer);
    },
    read(reader) {
      const value: Record<string, unknown> = {};
      for (const [name, field] of entries) value[name] = field.read(reader);
      return value as ValuesOf<Fields>;
    },
  };
}

export function encodeWith(what: string, write: (writer: Writer) => void): Uint8Array {
  const writer = new Writer(what);
  write(writer);
  return writer.bytes();
}

/** Reads all of `bytes`. @throws FORM_INVALID */
export function decodeWith<T>(what: string, bytes: Uint8Array, read: (reader: Reader) => T): T {
  const reader = new Reader(what, bytes);
  const value = read(reader);
  if (reader.left > 0) throw formInvalid(what, `${reader.left} bytes are left over`);
  return value;
}

export class Writer {
  readonly what: string;
  /** In turn how many bytes a number takes, and the number; or 0, and bytes as they are. They are put together in the end. */
  readonly #parts: (number | Uint8Array)[] = [];
  #length = 0;

  constructor(what: string) {
    this.what = what;
  }

  integer(value: number, width: 1 | 2 | 4 | 8): void {
    if (!Number.isSafeInteger(value) || value < 0 || value >= 256 ** width)
      throw formInvalid(this.what, `the number ${value} does not fit ${width} bytes`);
    this.#parts.push(width, value);
    this.#length += width;
  }

  raw(bytes: Uint8Array): void {
    this.#parts.push(0, bytes);
    this.#length += bytes.length;
  }

  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (let index = 0; index < this.#parts.length; index += 2) {
      const part = this.#parts[index + 1]!;
      if (typeof part === "number") {
        const width = this.#parts[index] as number;
        putInteger(bytes, { at, width, value: part });
        at += width;
      } else {
        bytes.set(part, at);
        at += part.length;
      }
    }
    return bytes;
  }
}

function putInteger(bytes: Uint8Array, { at, width, value }: { at: number; width: number; value: number }): void {
  let rest = value;
  for (let place = at + width - 1; place >= at; place--) {
    bytes[place] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

export class Reader {
  readonly what: string;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(what: string, bytes: Uint8Array) {
    this.what = what;
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Numbers past 2^53 are refused: nothing counts so far. */
  integer(width: 1 | 2 | 4 | 8): number {
    const end = this.#taken(width);
    let value = 0;
    for (let place = end - width; place < end; place++) value = value * 256 + this.#bytes[place]!;
    if (!Number.isSafeInteger(value)) throw formInvalid(this.what, "a number is too large");
    return value;
  }

  raw(length: number): Uint8Array {
    const end = this.#taken(length);
    const { buffer, byteOffset } = this.#bytes;
    return new Uint8Array(buffer, byteOffset + end - length, length);
  }

  /** Where the next so many bytes end. */
  #taken(length: number): number {
    if (this.left < length) throw formInvalid(this.what, `it ends ${length - this.left} bytes too early`);
    this.#at += length;
    return this.#at;
  }
}

const integerField = (width: 1 | 2 | 4 | 8): Field<number> => ({
  write: (value, writer) => writer.integer(value, width),
  read: (reader) => reader.integer(width),
});

export const u8 = integerField(1);
export const u32 = integerField(4);
/** As a number, at most 2^53 - 1. */
export const u64 = integerField(8);

/** Exactly `length` bytes. */
export const fixed = (length: number): Field<Uint8Array> => ({
  write(value, writer) {
    if (value.length !== length) throw formInvalid(writer.what, `${value.length} bytes stand where ${length} belong`);
    writer.raw(value);
  },
  read: (reader) => reader.raw(length),
});

/** Everything up to the end, at most `maxBytes`. */
export const rest = (maxBytes: number): Field<Uint8Array> => ({
  write(value, writer) {
    writer.raw(atMost(value, maxBytes, writer.what));
  },
  read: (reader) => atMost(reader.raw(reader.left), maxBytes, reader.what),
});

function atMost(bytes: Uint8Array, maxBytes: number, what: string): Uint8Array {
  if (bytes.length > maxBytes) throw formInvalid(what, `${bytes.length} bytes stand where at most ${maxBytes} may`);
  return bytes;
}

/** A length of `width` bytes, then so many bytes. */
const counted = (width: 1 | 2): Field<Uint8Array> => ({
  write(value, writer) {
    writer.integer(value.length, width);
    writer.raw(value);
  },
  read: (reader) => reader.raw(reader.integer(width)),
});

const bytes8 = counted(1);
const bytes16 = counted(2);

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const text = (bytes: Field<Uint8Array>): Field<string> => ({
  write: (value, writer) => bytes.write(utf8(value), writer),
  read(reader) {
    const raw = bytes.read(reader);
    try {
      return decoder.decode(raw);
    } catch {
      throw formInvalid(reader.what, "a text is not UTF-8");
    }
  },
});

export const str8 = text(bytes8);
export const str16 = text(bytes16);

/** One byte, 0 or 1. */
export const flag: Field<boolean> = {
  write: (value, writer) => writer.integer(value ? 1 : 0, 1),
  read(reader) {
    const value = reader.integer(1);
    if (value > 1) throw formInvalid(reader.what, "a flag is neither 0 nor 1");
    return value === 1;
  },
};
