import { fromHex } from "../sealing/bytes.ts";
import { KEY_BYTES } from "../sealing/crypto.ts";
import { HUB_PATH } from "../sealing/frames.ts";
import { hubNotThere } from "./errors.ts";
import type { HubClaim } from "./network.ts";

/** Who a hub says that it is: `GET /hub/v1/key`, read with a bound, by whatever fetches it. */
const CLAIM_MS = 10_000;
/** What a hub says of itself is a few hundred bytes. */
const CLAIM_BYTES_MAX = 16 * 1024;
const LABEL_LENGTH_MAX = 100;

/** @param ask with what is the asker's own, as `fetch` takes it. @throws HUB_NOT_THERE, and what `ask` does */
export async function claimAt(
  address: string,
  signal: AbortSignal,
  ask: (url: string, init: RequestInit) => Promise<Response>,
): Promise<HubClaim> {
  const stop = AbortSignal.any([signal, AbortSignal.timeout(CLAIM_MS)]);
  const response = await ask(`${address}${HUB_PATH}/key`, { signal: stop, redirect: "error" });
  if (!response.ok) throw hubNotThere(address);
  return parsed(await bounded(response, address), address);
}

async function bounded(response: Response, address: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  const reader = response.body?.getReader();
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    text += decoder.decode(read.value, { stream: true });
    if (text.length <= CLAIM_BYTES_MAX) continue;
    await reader?.cancel();
    throw hubNotThere(address);
  }
  return text + decoder.decode();
}

function parsed(text: string, address: string): HubClaim {
  try {
    const { key, label } = JSON.parse(text) as { key?: unknown; label?: unknown };
    const bytes = typeof key === "string" ? fromHex(key) : undefined;
    if (bytes?.length === KEY_BYTES)
      return { key: bytes, label: typeof label === "string" ? label.slice(0, LABEL_LENGTH_MAX) : "" };
  } catch {
    // no JSON: said below
  }
  throw hubNotThere(address);
}
