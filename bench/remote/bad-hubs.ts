import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { HubEntry } from "../../src/client/remote/world.ts";
import { nodeCrypto } from "../../src/platform/node-crypto.ts";
import { toHex } from "../../src/sealing/bytes.ts";
import type { SigningKey } from "../../src/sealing/crypto.ts";
import { decodeFrame, encodeFrame } from "../../src/sealing/frames.ts";
import { fingerprintOf, makeWelcome, NONCE_BYTES } from "../../src/sealing/login.ts";
import type { Stage } from "../stage.ts";

/** Hubs that are no use, on real sockets, in a process of their own: what a device has to live with beside good ones. */
export const BAD_KINDS = ["dead", "slow", "silent", "lying", "flooding"] as const;
export type BadKind = (typeof BAD_KINDS)[number];

export interface BadHub {
  kind: BadKind;
  entry: HubEntry;
}

/** So many of each kind. */
export async function startBadHubs(
  { node, env }: Stage,
  each: number,
): Promise<{ hubs: BadHub[]; child: ChildProcess }> {
  const kinds = Array.from({ length: each }, () => BAD_KINDS).flat();
  const logins = await Promise.all(kinds.map(() => crypto.newSigningKey()));
  const wanted: Wanted[] = kinds.map((kind, at) => ({ kind, loginKey: toHex(logins[at]!.publicKey) }));
  const child = spawn(node, [import.meta.filename, JSON.stringify(wanted)], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout!, "data");
  const told = JSON.parse(String(line)) as { port: number; key: string }[];
  const hubs = told.map(async ({ port, key: hex }, at): Promise<BadHub> => {
    const key = Buffer.from(hex, "hex");
    const fingerprint = toHex(await fingerprintOf(crypto, key));
    const addresses = [`http://127.0.0.1:${port}`];
    const kind = kinds[at]!;
    return {
      kind,
      entry: { fingerprint, key, addresses, label: kind, login: logins[at]!, addedMs: 0, usedMs: Date.now() },
    };
  });
  return { child, hubs: await Promise.all(hubs) };
}

interface Wanted {
  kind: BadKind;
  /** The device's there, as hex. */
  loginKey: string;
}

const crypto = nodeCrypto();
const DRIP_MS = 1_000;
const FLOOD_FRAMES = 64;
const GARBAGE_BYTES = 400;

async function beBad(wanted: readonly Wanted[]): Promise<void> {
  const told = wanted.map(async ({ kind, loginKey }) => {
    const key = await crypto.newSigningKey();
    const model: Model = { kind, key, loginKey: Buffer.from(loginKey, "hex") };
    return { port: await listen(model), key: toHex(key.publicKey) };
  });
  console.log(JSON.stringify(await Promise.all(told)));
}

interface Model {
  kind: BadKind;
  key: SigningKey;
  loginKey: Uint8Array;
}

async function listen(model: Model): Promise<number> {
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => {});
    if (model.kind === "slow") drip(socket);
    else sockets.handleUpgrade(request, socket, head, (webSocket) => behave(model, webSocket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  if (model.kind === "dead") await closed(server);
  return port;
}

async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, "close");
}

/** Never done with its answer. */
function drip(socket: Duplex): void {
  const timer = setInterval(() => socket.write("H"), DRIP_MS);
  socket.on("close", () => clearInterval(timer));
}

function behave({ kind, key, loginKey }: Model, socket: WebSocket): void {
  socket.on("error", () => {});
  if (kind === "silent") return;
  const hubNonce = crypto.random(NONCE_BYTES);
  socket.send(encodeFrame({ kind: "hello", nonce: hubNonce }));
  socket.once("message", async (data: Buffer) => {
    if (kind === "lying") return socket.send(encodeFrame({ kind: "welcome", signature: new Uint8Array(64).fill(7) }));
    const login = decodeFrame(data);
    if (login.kind !== "login") return;
    const { nonce, cursor } = login;
    const facts = { hubKey: key.publicKey, hubNonce, nonce, loginKey };
    const welcome = await makeWelcome(crypto, { hubKey: key, facts, cursor, head: cursor, floor: 0 });
    socket.send(encodeFrame({ kind: "welcome", ...welcome }));
    flood(socket);
  });
}

/** As fast as it is read: records that are none, and words about machines that nobody knows. */
function flood(socket: WebSocket): void {
  const frames = [
    encodeFrame({ kind: "record", place: 1, record: crypto.random(GARBAGE_BYTES) }),
    encodeFrame({ kind: "presence", space: crypto.random(32), isPresent: true }),
    encodeFrame({ kind: "ping", token: 1 }),
  ];
  const more = (): void => {
    if (socket.readyState !== socket.OPEN) return;
    for (let count = 0; count < FLOOD_FRAMES; count++) socket.send(frames[count % frames.length]!);
    socket.send(frames[0]!, more);
  };
  more();
}

if (process.argv[1] === import.meta.filename) await beBad(JSON.parse(process.argv[2]!));
