import { prefixedLine, rawLine } from "../runs/logs/format.ts";
import type { LogItem } from "../runs/logs/log-item.ts";
import { ByteSink } from "./byte-sink.ts";
import type { Output } from "./output.ts";
import { omittedText } from "./render/omitted-text.ts";
import { COLOURED } from "./render/style.ts";

/** How lines of logs are printed: as the job wrote them, behind the job's tag, or as JSON. */
export type LogForm = { kind: "raw" } | { kind: "tagged" } | { kind: "json" };

export class LogPrinter {
  readonly #output: Output;
  readonly #form: LogForm["kind"];
  readonly #sink: ByteSink;

  constructor(output: Output, form: LogForm["kind"]) {
    this.#output = output;
    this.#form = form;
    this.#sink = new ByteSink(output);
  }

  async item(item: LogItem, tag: string): Promise<void> {
    if (this.#form === "json") return this.#sink.write("stdout", `${JSON.stringify(jsonOf(item))}\n`);
    if (item.kind === "omitted") {
      const how = item.reason === "limit" ? "--max-bytes takes more, --cursor continues" : undefined;
      return this.#sink.write("stderr", `${this.#output.errorStyle.dim(omittedText(item, how))}\n`);
    }
    if (this.#form === "raw") return this.#sink.write(item.stream, rawLine(item));
    return this.#sink.write("stdout", prefixedLine(item, { tag, colour: this.#output.style === COLOURED }));
  }

  /** A sentence of ours between the lines; not for programs. */
  async note(text: string): Promise<void> {
    if (this.#form !== "json") await this.#sink.write("stdout", `${this.#output.style.dim(`[warren] ${text}`)}\n`);
  }

  flush(): Promise<void> {
    return this.#sink.flush();
  }
}

function jsonOf(item: LogItem): Record<string, unknown> {
  const job_id = item.runId.slice(0, item.runId.lastIndexOf("-"));
  const base = { job_id, run_id: item.runId };
  if (item.kind === "omitted") {
    const { stream, reason, bytes, lines } = item;
    return {
      ...base,
      ...(stream ? { stream } : {}),
      omitted: reason,
      bytes,
      ...(lines === undefined ? {} : { lines }),
    };
  }
  const { stream, offsetBytes, bytes, complete, timeMs } = item;
  const at = timeMs === undefined ? {} : { at: new Date(timeMs).toISOString() };
  return {
    ...base,
    stream,
    offset: offsetBytes,
    ...at,
    line: bytes.toString("utf8"),
    ...(complete ? {} : { complete }),
  };
}
