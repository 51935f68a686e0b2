/**
 * What claude-ipc's broker answers, to the letter: the order of the keys is the order here, and programs look for parts of these sentences.
 */

export type IpcReply =
  | { status: "ok"; session_token?: string; message?: string; messages?: IpcMessage[]; remaining?: number }
  | { status: "ok"; instances: IpcInstance[] }
  | { status: "error"; message: string };

export interface IpcMessage {
  from: string;
  to: string;
  /** Local time without a zone, with microseconds. */
  timestamp: string;
  message: { content: string; data?: unknown };
  /** Of one that is too long for a reply: where all of it is. */
  summary?: string;
  large_file_path?: string;
}

export interface IpcInstance {
  id: string;
  last_seen: string;
}

export const refusal = (message: string): IpcReply => ({ status: "error", message });
export const done = (message: string): IpcReply => ({ status: "ok", message });

export const registered = (name: string, queued: number): string =>
  queued === 0 ? `Registered ${name}` : `Registered ${name} with ${queued} queued messages`;

export const sent = (addressed: string, recipient: string, isKnown: boolean): string => {
  if (recipient !== addressed) return `Message forwarded from ${addressed} to ${recipient}`;
  return isKnown ? "Message sent" : `Message queued for ${addressed} (not yet registered)`;
};

export const broadcast = (count: number): string => `Broadcast to ${count} instances`;
export const renamed = (from: string, to: string): string => `Renamed ${from} to ${to}`;
export const renameNotice = (from: string, to: string): string => `📝 ${from} renamed to ${to}`;

export const NO_SESSION = "Invalid or missing session token";
export const TOO_MANY_REQUESTS = "Rate limit exceeded. Please wait before sending more requests.";
export const TOO_MANY_REGISTRATIONS = "Too many registration attempts. Please wait.";
export const BAD_NAME = "Invalid instance ID format. Use 1-32 alphanumeric characters, hyphens, or underscores.";
export const BAD_SECRET = "Invalid auth token";
export const BAD_RECIPIENT = "Invalid recipient ID format";
export const BAD_NEW_NAME = "Invalid new instance ID format";

export const queueFull = (name: string, limit: number): string =>
  `Message queue full for ${name} (${limit} message limit)`;
export const noInstance = (name: string): string => `Instance ${name} not found`;
export const instanceExists = (name: string): string => `Instance ${name} already exists`;
export const renameLimit = (minutes: number): string => `Rate limit: can rename again in ${minutes} minutes`;
export const unknownAction = (action: string): string => `Unknown action: ${action}`;

/** Ours, for what there cannot come to be asked. */
export const tooLong = (limit: string): string => `Message too large (${limit} limit)`;
export const TOO_DEEP = "Request is nested too deeply (64 levels)";
/** `str(KeyError(key))`. */
export const missingKey = (key: string): string => `'${key}'`;
export const noAttribute = (pythonType: string): string => `'${pythonType}' object has no attribute 'get'`;

/** `datetime.now().isoformat()`. */
export function naiveTimestamp(wallMs: number): string {
  const at = new Date(wallMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const micros = String(at.getMilliseconds() * 1000).padStart(6, "0");
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${micros}`;
}
