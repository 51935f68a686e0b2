import { WarrenError } from "../protocol/errors.ts";
import { suggest } from "../protocol/suggest.ts";

/** What can be wrong with a message before any domain sees it. */

export const badJson = (line: string): WarrenError =>
  new WarrenError(
    "BAD_JSON",
    `This line is not a JSON object: ${JSON.stringify(line.slice(0, 60))}${line.length > 60 ? "…" : ""}`,
  );

export const lineTooLong = (maxBytes: number): WarrenError =>
  new WarrenError("LINE_TOO_LONG", `A line is longer than ${maxBytes} bytes; the connection is closed.`);

export const unknownType = (type: unknown, known: Iterable<string>): WarrenError => {
  const near = typeof type === "string" ? suggest(type, known) : undefined;
  return new WarrenError(
    "UNKNOWN_TYPE",
    `unknown request type: ${typeof type === "string" ? type.slice(0, 60) : JSON.stringify(type)}${near ? `. Did you mean ${near}?` : ""}`,
  );
};

export const invalidPayload = (type: string, field: string, problem: string, value: unknown): WarrenError => {
  const shown = JSON.stringify(value)?.slice(0, 60);
  return new WarrenError(
    "INVALID_PAYLOAD",
    `${type}: ${field || "payload"} ${problem}${shown === undefined ? "" : `, not ${shown}`}.`,
    {
      detail: { field },
    },
  );
};

export const forbidden = (type: string, scope: string): WarrenError =>
  new WarrenError("FORBIDDEN", `${type} needs the scope ${scope}, which this connection does not have.`);

export const unknownStream = (stream: string): WarrenError =>
  new WarrenError("UNKNOWN_STREAM", `unknown stream: ${stream}`, { fix: 'subscribe to "jobs"' });
