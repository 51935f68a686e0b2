import net from "node:net";
import { join } from "node:path";
import { readJsonIfExists } from "../platform/atomic-file.ts";
import type { Places } from "../platform/paths.ts";
import { fromWire, systemCode, WarrenError, type WireError } from "../protocol/errors.ts";
import type { HubCall, HubCalls } from "../protocol/hub-control.ts";
import { quoteWord } from "../protocol/quote-word.ts";

/** Asks the hub that runs in this home. */
const ANSWER_TIMEOUT_MS = 10_000;
/** The longest answer: the members of a full hub. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** @throws HUB_NOT_RUNNING, HUB_SILENT, and what the hub refuses */
export async function askHub<Call extends HubCall>(
  places: Places,
  call: Call,
  request: HubCalls[Call]["request"],
): Promise<HubCalls[Call]["answer"]> {
  const answer = await exchange(socketOf(places), JSON.stringify({ call, ...request }), places);
  if ("error" in answer) throw fromWire(answer as WireError);
  return answer as HubCalls[Call]["answer"];
}

/** Whoever asks may have another runtime directory than the hub. */
function socketOf(places: Places): string {
  const entry = readJsonIfExists<{ socket?: unknown }>(join(places.hubDir, "hub.json"));
  return typeof entry?.socket === "string" ? entry.socket : places.hubSocket;
}

function exchange(path: string, line: string, places: Places): Promise<object> {
  const { promise, resolve, reject } = Promise.withResolvers<object>();
  const socket = net.connect(path);
  const chunks: Buffer[] = [];
  let bytes = 0;
  socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(silent(places, "has not answered in 10 s")));
  socket.on("connect", () => socket.write(`${line}\n`));
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) socket.destroy(silent(places, "answers without end"));
  });
  socket.on("end", () => {
    try {
      resolve(JSON.parse(Buffer.concat(chunks).toString()));
    } catch {
      reject(silent(places, "closed before it had answered"));
    }
  });
  socket.on("error", (error) => {
    const isNobody = ["ENOENT", "ECONNREFUSED"].includes(systemCode(error) ?? "");
    reject(isNobody ? notRunning(places) : error);
  });
  return promise;
}

const notRunning = ({ home }: Places): WarrenError =>
  new WarrenError("HUB_NOT_RUNNING", `No hub runs in ${home}.`, { fix: "warren hub" });

const silent = ({ hubLog }: Places, what: string): WarrenError =>
  new WarrenError("HUB_SILENT", `The hub ${what}.`, { fix: `tail ${quoteWord(hubLog)}` });
