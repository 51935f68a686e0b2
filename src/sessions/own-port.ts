import type { SessionPorts } from "../registry/session-ports.ts";
import * as errors from "./errors.ts";
import type { SessionRecord } from "./record.ts";

/**
 * The port of a session: what its program finds in `PORT`, and what `fox.localhost` leads to. Its own for as long as there is the session, through resumes,
 * reloads and moves; when another program listens there at a resume, it gets another. One that a person chose is kept whoever listens.
 */
export interface PortSource {
  ports: Pick<SessionPorts, "take" | "claim" | "retake">;
  /** Of these, who runs nowhere: who ended longest ago first. */
  ended: (ids: readonly string[]) => Promise<string[]>;
}

/** What a new one gets; nothing when every port is a running session's. @throws SESSION_PORT_INVALID, SESSION_PORT_TAKEN */
export async function portOfNew(
  id: string,
  wanted: number | undefined,
  { ports, ended }: PortSource,
): Promise<Pick<SessionRecord, "port" | "is_port_chosen">> {
  if (wanted === undefined) return portIfAny(await ports.take(id, ended));
  if (wanted < 1 || wanted > 65_535) throw errors.portInvalid(wanted);
  if (!ports.claim(wanted, id)) throw errors.portTaken(wanted);
  return { port: wanted, is_port_chosen: true };
}

export async function portOfResumed(
  { id, port, is_port_chosen }: SessionRecord,
  { ports, ended }: PortSource,
): Promise<Pick<SessionRecord, "port">> {
  if (port !== undefined && (is_port_chosen ? ports.claim(port, id) : ports.retake(port, id))) return { port };
  return portIfAny(await ports.take(id, ended));
}

const portIfAny = (port: number | undefined): Pick<SessionRecord, "port"> => (port === undefined ? {} : { port });
