/**
 * The one error type that crosses a wire: a stable `code`, one sentence with the offending value, and a `fix` that can be typed.
 * Each domain makes its own through factories of its own; nobody matches on the message text.
 */

export interface ErrorOptions {
  /** A command, ready to paste, that mends it. */
  fix?: string | undefined;
  cause?: unknown;
  /** Facts for programs, e.g. `{ "candidates": ["web"] }`. */
  detail?: Record<string, unknown> | undefined;
}

export class WarrenError extends Error {
  readonly code: string;
  readonly fix: string | undefined;
  readonly detail: Record<string, unknown> | undefined;

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "WarrenError";
    this.code = code;
    this.fix = options.fix;
    this.detail = options.detail;
  }
}

export const isWarrenError = (error: unknown, code?: string): error is WarrenError =>
  error instanceof WarrenError && (code === undefined || error.code === code);

/** An error as it crosses a wire. */
export interface WireError {
  code: string;
  error: string;
  fix?: string;
  detail?: Record<string, unknown>;
}

/** `otherCode` for one that is not ours. */
export function toWire(error: unknown, otherCode: string): WireError {
  const { code, message, fix, detail } = isWarrenError(error) ? error : new WarrenError(otherCode, messageOf(error));
  return { code, error: message, ...(fix === undefined ? {} : { fix }), ...(detail === undefined ? {} : { detail }) };
}

export const fromWire = ({ code, error, fix, detail }: WireError): WarrenError =>
  new WarrenError(code, error, { fix, detail });

/** The same error, with what to type. */
export const withFix = (error: WarrenError, fix: string): WarrenError =>
  new WarrenError(error.code, error.message, { fix, detail: error.detail, cause: error });

/** The `code` of a failed system call (ENOENT, EPIPE, …), or undefined. */
export const systemCode = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** For switches over unions: unreachable when every case is handled. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

/** A bug, not bad input: ends the owner of the broken state. */
export function assert(condition: unknown, expected: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${expected}`);
}
