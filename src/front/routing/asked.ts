import type { RequestFacts, Target } from "../proxy/responder.ts";

/** As much of a request as it takes to find its way and to answer it by ourselves. */
export type AskedRequest = Pick<
  RequestFacts,
  "method" | "path" | "query" | "host" | "requestId" | "field" | "remoteAddress" | "isForwarded"
>;

export const isReading = (method: string): boolean => method === "GET" || method === "HEAD";

/** What we answer without a worker. */
export type OwnTarget = Extract<Target, { kind: "answer" } | { kind: "responder" }>;
