import type { Omitted } from "../../runs/logs/log-item.ts";

/** A line that says what is not shown: `… 12,345 bytes of stdout left out`. */
export function omittedText({ reason, bytes, lines, stream }: Omitted, how?: string): string {
  const count = `${bytes.toLocaleString("en-US")} bytes`;
  const of = stream ? ` of ${stream}` : "";
  const inLines = lines === undefined ? "" : `, ${lines.toLocaleString("en-US")} lines,`;
  if (reason === "dropped") return `… ${count}${of}${inLines} are gone: the log's limit dropped them`;
  return `… ${count}${of}${inLines} left out${how ? ` (${how})` : ""}`;
}
