import type { Output } from "../output.ts";
import { COLOURED, PLAIN } from "../render/style.ts";

/** An output that keeps what is written; for tests. */
export interface MemoryOutput extends Output {
  text(): string;
  errorText(): string;
}

export function memoryOutput(options: { terminal?: boolean; columnCount?: number } = {}): MemoryOutput {
  const chunks: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  const put = (stream: "stdout" | "stderr", data: Uint8Array | string): void =>
    void chunks[stream].push(Buffer.from(data));
  const style = options.terminal ? COLOURED : PLAIN;
  return {
    isTerminal: options.terminal === true,
    errorIsTerminal: options.terminal === true,
    columnCount: options.columnCount ?? 80,
    style,
    errorStyle: style,
    glyphs: true,
    line: (text = "") => put("stdout", `${text}\n`),
    errorLine: (text = "") => put("stderr", `${text}\n`),
    json: (value) => put("stdout", `${JSON.stringify(value, null, 2)}\n`),
    bytes: async (stream, bytes) => put(stream, bytes),
    flushed: async () => {},
    text: () => Buffer.concat(chunks.stdout).toString(),
    errorText: () => Buffer.concat(chunks.stderr).toString(),
  };
}
