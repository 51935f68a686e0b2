import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * claude-ipc's session tokens: whoever registers a name gets one, and says it with each further request. 24 hours, never renewed; the log keeps the hash alone,
 * so that a token outlives the leader and nobody finds it in the file.
 */
export const TOKEN_LIFE_MS = 24 * 60 * 60 * 1000;

const TOKEN_BYTES = 32;
/** Theirs, so that sessions of their own store stay valid when it is taken over. */
const SALT = "claude-ipc-mcp-v2:";

/** 43 characters, as `secrets.token_urlsafe(32)` makes them. */
export const randomToken = (): string => randomBytes(TOKEN_BYTES).toString("base64url");

export const hashToken = (token: string): string => createHash("sha256").update(`${SALT}${token}`).digest("hex");

/** What a client that knows the shared secret sends to register `name`. */
export const secretProof = (name: string, secret: string): string =>
  createHash("sha256").update(`${name}:${secret}`).digest("hex");

export function provesSecret(name: string, secret: string, proof: unknown): boolean {
  if (typeof proof !== "string") return false;
  const wanted = Buffer.from(secretProof(name, secret));
  const given = Buffer.from(proof);
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}
