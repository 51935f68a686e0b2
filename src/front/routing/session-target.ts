import type { FrontTable } from "../../protocol/front-messages.ts";
import type { Problem } from "../pages/page.ts";
import * as problems from "../pages/session-problems.ts";
import type { RequestFacts, SessionTarget } from "../proxy/responder.ts";
import type { SessionWay } from "./routes.ts";

/**
 * Where a request to a session's host goes. What a session serves is for this machine alone, wherever the gateway listens: it was made for its author's own
 * browser, and often answers with sources, or runs what it is sent. So the connection has to come from this machine, and no proxy may have brought it here:
 * one on this machine would let everybody in who can write a Host field.
 */
type Asking = Pick<RequestFacts, "path" | "query" | "remoteAddress" | "isForwarded">;

const HOST = "127.0.0.1";
const OTHER_HOST = "::1";

export function sessionTarget(
  { name, port }: SessionWay,
  { path, query, remoteAddress, isForwarded }: Asking,
  sessions: FrontTable["sessions"],
): SessionTarget | { kind: "problem"; problem: Problem } {
  if (!isLoopback(remoteAddress) || isForwarded) return { kind: "problem", problem: problems.sessionsAreLocal() };
  if (port === undefined) {
    const names = sessions.map((session) => session.name);
    return { kind: "problem", problem: problems.noSession(name, names) };
  }
  if (port === 0) return { kind: "problem", problem: problems.noSessionPort(name) };
  const target = query === undefined ? path : `${path}?${query}`;
  return { kind: "session", name, host: HOST, otherHost: OTHER_HOST, port, target };
}

/** RFC 1122 §3.2.1.3, RFC 4291 §2.5.3. */
const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1";
