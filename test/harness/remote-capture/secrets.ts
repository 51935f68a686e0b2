import assert from "node:assert/strict";
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { fromHex } from "../../../src/sealing/bytes.ts";
import { needsRoot } from "../faults.ts";
import type { Day } from "./day.ts";

/** What no hub may have, in each form in which it could; and where it is looked for. */
export interface Secret {
  what: string;
  forms: Buffer[];
}

/** @param bytes of a key; what a program would log it as belongs to it */
const ofBytes = (what: string, bytes: Uint8Array): Secret => {
  const hex = Buffer.from(bytes).toString("hex");
  return { what, forms: [Buffer.from(bytes), ...[hex, hex.toUpperCase()].map((text) => Buffer.from(text))] };
};
/** UTF-16 as well: V8 keeps some texts so. */
const ofText = (what: string, text: string): Secret => ({
  what,
  forms: [Buffer.from(text), Buffer.from(text, "utf16le"), Buffer.from(Buffer.from(text).toString("hex"))],
});

export async function secretsOf(day: Day): Promise<Secret[]> {
  const { label: _, ...words } = day.words;
  const { machine } = day.phone.coordinator.machines()[0]!;
  const isNamed = needsRoot() === undefined; // else its name is the host's, which the hub's is as well
  if (isNamed) assert.deepEqual([machine.name, machine.words.split("@")[1]], [words.host, words.host]);
  const keys = (await day.phone.store.keys())!;
  const hub = day.phone.coordinator.hubs()[0]!.entry.fingerprint;
  const { periods } = await day.phone.records.load(hub);
  assert.ok(periods.size >= 2, "a period ended with the lost device");
  return [
    ...Object.entries(words).map(([what, text]) => ofText(what, text)),
    ofBytes("machine's signing key", fromHex(machine.id)!),
    ofBytes("machine's exchange key", machine.exchangeKey),
    ofBytes("phone's signing key", keys.signing.publicKey),
    ofBytes("phone's exchange key", keys.exchange.publicKey),
    ...[...periods.values()].map((key) => ofBytes("a period's key", key)),
    ...day.codes.map(({ secret }) => ofBytes("a pairing's secret", secret)),
    ...day.codes.map(({ pairingKey }) => ofBytes("a pairing's key", pairingKey)),
  ];
}

/** Where a hub could have it. */
export interface Place {
  name: string;
  /** Piece by piece; nothing that is looked for is longer than what two of them share. */
  pieces: Iterable<Buffer>;
}

const OVERLAP_BYTES = 256;
const PIECE_BYTES = 4 * 1024 * 1024;

export function placesOf(day: Day): Place[] {
  const { hubHouse, tap, hub } = day;
  const { hubDir, hubLog } = hubHouse.places;
  const files = readdirSync(hubDir).map((name) => join(hubDir, name));
  return [
    { name: "what was said", pieces: tap.heard.map(({ payload }) => Buffer.from(payload)) },
    { name: "what was on the wire", pieces: tap.heard.map(({ raw }) => Buffer.from(raw)) },
    ...[...files, hubLog].map((path) => ({ name: path, pieces: [readFileSync(path)] })),
    { name: "the hub's output", pieces: [Buffer.from(hub.output())] },
    { name: MEMORY, pieces: memoryOf(hub.pid) },
  ];
}

export const MEMORY = "the hub's memory";

/** Each secret that is there, with its place. */
export function found(secrets: readonly Secret[], places: readonly Place[]): string[] {
  const all: string[] = [];
  for (const { name, pieces } of places)
    for (const piece of pieces)
      for (const { what, forms } of secrets)
        if (forms.some((form) => piece.includes(form))) all.push(`${what} in ${name}`);
  return [...new Set(all)];
}

/** All that the process may read of its own memory (proc(5)). It is our child, so we may look. */
function* memoryOf(pid: number): Generator<Buffer> {
  const maps = readFileSync(`/proc/${pid}/maps`, "utf8").matchAll(/^([0-9a-f]+)-([0-9a-f]+) r\S+ .*$/gm);
  const memory = openSync(`/proc/${pid}/mem`, "r");
  try {
    for (const [line, from, to] of maps) {
      // What is of a file is in it, unless it was written to; the kernel's own pages cannot be read.
      if (/\[v(var|syscall|var_vclock)\]/.test(line) || / r-[x-][ps] .*\//.test(line)) continue;
      yield* rangeOf(memory, Number.parseInt(from!, 16), Number.parseInt(to!, 16));
    }
  } finally {
    closeSync(memory);
  }
}

function* rangeOf(memory: number, from: number, to: number): Generator<Buffer> {
  for (let at = from; at < to; at += PIECE_BYTES - OVERLAP_BYTES) {
    const piece = Buffer.alloc(Math.min(PIECE_BYTES, to - at));
    try {
      yield piece.subarray(0, readSync(memory, piece, 0, piece.length, at));
    } catch {
      return; // it was unmapped meanwhile, or is only reserved
    }
  }
}
