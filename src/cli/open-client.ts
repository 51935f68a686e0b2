import { Client, type ClientOptions } from "../client/client.ts";
import type { Build } from "../platform/build.ts";
import { newRequestId } from "../platform/request-id.ts";

/** Every server answers a greeting at once, also one that has much to do; one that is being replaced, when its successor is there. */
const GREETING_TIMEOUT_MS = 10_000;

/** A client as commands use it: somebody waits for it, so a server that is silent is said to be. */
export const openClient = (
  { version }: Pick<Build, "version">,
  options: Pick<ClientOptions, "dial" | "redialCountMax" | "followsSession" | "lineBytesMax">,
): Client =>
  new Client({
    name: "warren-cli",
    version,
    randomId: newRequestId,
    greetingTimeoutMs: GREETING_TIMEOUT_MS,
    ...options,
  });
