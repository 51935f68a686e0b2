import type { FrontTable } from "../../protocol/front-messages.ts";
import type { RequestFacts } from "../proxy/responder.ts";
import { hostName } from "../routing/host-name.ts";

/**
 * Who may see the dashboard. It shows paths that others ask for and what programs print, so it is for who works at this machine, and only in development:
 *
 * 1. The connection comes from this machine, and its head does not say that somebody else's request was passed on (a tunnel, a proxy).
 * 2. The Host is this machine's own name. A page of another site whose name was made to lead here (DNS rebinding) asks for that name.
 * 3. In production it is not there at all: behind a proxy on the same machine, every visitor would come from here.
 *
 * Pages of other origins can send requests here and read no answer, since no CORS field is given.
 */
export type Access = "allowed" | "elsewhere" | "absent";

export type AskedBy = Pick<RequestFacts, "host" | "remoteAddress" | "isForwarded">;

export function accessOf({ host, remoteAddress, isForwarded }: AskedBy, mode: FrontTable["mode"]): Access {
  if (mode !== "dev") return "absent";
  const isFromHere = !isForwarded && isLoopback(remoteAddress);
  return isFromHere && host !== undefined && isOwnName(hostName(host)) ? "allowed" : "elsewhere";
}

const isOwnName = (name: string): boolean => name === "localhost" || name === "[::1]" || isLoopback(name);

/** RFC 1122 §3.2.1.3 (g), RFC 4291 §2.5.3. */
const isLoopback = (address: string): boolean => address === "::1" || /^127(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(address);
