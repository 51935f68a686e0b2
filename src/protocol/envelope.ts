import type { DataOf, MessageType, PayloadOf } from "./messages.ts";

/** What stands around every message (CONTRACT §5): one JSON object a line. */

/** The protocol versions that this build speaks. */
export const PROTOCOL = { min: 1, max: 1 } as const;

/**
 * Messages whose form is the same in every version of the protocol: builds that understand each other in nothing else can still hand over to each other,
 * and be ended.
 */
export const STABLE: ReadonlySet<string> = new Set<MessageType>([
  "hello",
  "ping",
  "version",
  "shutdown",
  "server.yield",
]);

/** A longer line is refused with LINE_TOO_LONG and the connection is closed. */
export const LINE_BYTES_MAX = 1024 * 1024;

/** The same for the mailbox's leader: a message of 1 MiB and what stands around it. */
export const MAIL_LINE_BYTES_MAX = 1280 * 1024;

/**
 * Messages that change something: the request may carry a `request_id`; its answer is stored with its effect for a day, and a repeat gets that
 * answer.
 */
export const MUTATING: ReadonlySet<string> = new Set<MessageType>([
  "add",
  "run",
  "create",
  "start",
  "restart",
  "stop",
  "stop_all",
  "signal",
  "remove",
  "remove_run",
  "cleanup",
  "nuke",
  "up",
  "down",
  "shutdown",
  "session.new",
  "session.send",
  "session.stop",
  "session.signal",
  "session.rename",
  "session.remove",
  "session.resume",
  "session.move",
  "session.prompt",
  "session.answer",
  "session.cancel",
  "session.mode",
  "session.login",
  "gateway.up",
  "gateway.down",
  "gateway.mode",
  "gateway.refresh",
  "gateway.pause",
  "gateway.unpause",
  "gateway.drain",
  "gateway.stop",
  "gateway.start",
  "gateway.restart",
  "gateway.rollback",
  "gateway.build",
  "mail.register",
  "mail.unregister",
  "mail.rename",
  "mail.groups",
  "mail.send",
  "mail.reply",
  "mail.fetch",
  "mail.ack",
  "mail.nak",
  "mail.extend",
  "mail.import",
  "mail.prune",
  "remote.hub_add",
  "remote.hub_rename",
  "remote.hub_remove",
  "remote.confirm",
  "remote.rename",
  "remote.scopes",
  "remote.revoke",
  "remote.introduce_end",
  "remote.allow",
  "remote.refuse",
  "remote.ask_first",
  "remote.settings",
]);

export interface Request<T extends MessageType = MessageType> {
  id?: number | string;
  type: T;
  payload?: PayloadOf<T>;
  /** Made by the client; a repeat gets the first answer. */
  request_id?: string;
}

export interface Success<T extends MessageType = MessageType> {
  id?: number | string;
  success: true;
  data: DataOf<T>;
}

export interface Failure {
  id?: number | string;
  success: false;
  error: string;
  code: string;
  fix?: string;
  detail?: Record<string, unknown>;
}

export type Response<T extends MessageType = MessageType> = Success<T> | Failure;

/** Of the stream `gateway`. */
export const GATEWAY_EVENTS = [
  "gateway_up",
  "gateway_down",
  "mode_changed",
  "config_refused",
  "command_taken",
  "build_started",
  "build_failed",
  "built",
  "release_started",
  "release_abandoned",
  "switched",
  "switched_back",
  "version_bad",
  "probation_over",
  "instance_failed",
  "instance_healthy",
  "instance_unhealthy",
  "instance_retired",
  "restart_planned",
  "restart_failed",
  "crash_looping",
  "drain_overdue",
  "rollback_refused",
  "recovered",
  "remote_healthy",
  "remote_unhealthy",
] as const;
export type GatewayEventType = (typeof GATEWAY_EVENTS)[number];

export const JOB_EVENTS = [
  "job_added",
  "job_started",
  "job_stopped",
  "job_removed",
  "job_updated",
  "run_started",
  "run_stopped",
  "run_removed",
  "ports_updated",
] as const;

/** An event of a stream; `data` carries gob's fields (`job`, `run`, `ports`, `job_count`, `running_job_count`). */
export interface StreamEvent {
  event: string;
  stream: string;
  seq: number;
  /** RFC 3339 with milliseconds. */
  at?: string;
  job_id?: string;
  data: Record<string, unknown>;
}
