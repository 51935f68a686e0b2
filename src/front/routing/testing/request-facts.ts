import type { IncomingMessage } from "node:http";
import type { RequestFacts } from "../../proxy/responder.ts";

/** What the data plane would say of such a request. */
export function factsOf(incoming: Pick<IncomingMessage, "url" | "method" | "headers">): RequestFacts {
  const [path, query] = incoming.url!.split("?") as [string, string | undefined];
  return {
    method: incoming.method!,
    path,
    query,
    host: incoming.headers.host,
    minorVersion: 1,
    remoteAddress: "127.0.0.1",
    isSecure: false,
    isForwarded: false,
    requestId: "r1",
    hasBody: false,
    isUpgrade: false,
    field: (name) => incoming.headers[name] as string | undefined,
  };
}
