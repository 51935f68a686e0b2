/** JSON-RPC 2.0 (jsonrpc.org/specification) as ACP uses it: a message a line, no batches. */
export type RpcId = string | number | null;

export interface RpcError {
  code: number;
  message: string;
  data?: unknown;
}

export type RpcMessage =
  | { kind: "request"; id: RpcId; method: string; params: Fields }
  | { kind: "notification"; method: string; params: Fields }
  | { kind: "response"; id: RpcId; result: Fields; error?: RpcError };

/** An object from outside: every field is looked at before it is used. */
export type Fields = Record<string, unknown>;

export const RPC = {
  invalidParams: -32602,
  internal: -32603,
  methodNotFound: -32601,
  cancelled: -32800,
  /** ACP: the agent wants a login. */
  authRequired: -32000,
  /** ACP: a file that is not there. */
  resourceNotFound: -32002,
} as const;

/** The message in this value, or undefined when it is none. */
export function readMessage(value: unknown): RpcMessage | undefined {
  const object = asFields(value);
  if (!object || Array.isArray(value)) return undefined;
  const { id, method, params, result, error } = object;
  if (typeof method === "string") {
    const given = asFields(params) ?? {};
    if (id === undefined) return { kind: "notification", method, params: given };
    return isId(id) ? { kind: "request", id, method, params: given } : undefined;
  }
  if (!isId(id) || (result === undefined && error === undefined)) return undefined;
  if (error === undefined) return { kind: "response", id, result: asFields(result) ?? {} };
  return { kind: "response", id, result: {}, error: readError(error) };
}

/** The bytes of a message, with the newline that ends it. */
export const encodeMessage = (message: Fields): Uint8Array =>
  Buffer.from(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`, "utf8");

/** An id as a key of a map: 1 and "1" are two. */
export const idKey = (id: RpcId): string => JSON.stringify(id);

export const asFields = (value: unknown): Fields | undefined =>
  typeof value === "object" && value !== null ? (value as Fields) : undefined;

export const asText = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

export const asNumber = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** The objects of a list; what is none is left out. */
export const asList = (value: unknown): Fields[] =>
  Array.isArray(value) ? value.flatMap((entry) => (asFields(entry) ? [entry as Fields] : [])) : [];

const isId = (id: unknown): id is RpcId => id === null || typeof id === "string" || typeof id === "number";

function readError(value: unknown): RpcError {
  const { code, message, data } = asFields(value) ?? {};
  return {
    code: asNumber(code) ?? RPC.internal,
    message: asText(message) ?? "error without a message",
    ...(data === undefined ? {} : { data }),
  };
}
