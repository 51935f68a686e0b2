import { STREAMS, type Stream } from "../runs/logs/files.ts";
import { rawLine } from "../runs/logs/format.ts";
import { ByteSink } from "./byte-sink.ts";
import type { Context } from "./context.ts";
import { typed } from "./output.ts";
import { omittedText } from "./render/omitted-text.ts";
import type { EndedRun } from "./run-end.ts";
import { outputOf, outputRunOf } from "./run-output.ts";

/** A run's whole stdout, then its whole stderr (yellow on a terminal), each to its own stream, from the files; at most the last `maxBytes` of each. */
export async function printOutput(
  context: Context,
  run: Extract<EndedRun, { kind: "ended" }>["run"],
  maxBytes: number,
): Promise<void> {
  const { output } = context;
  const source = await outputOf(context);
  const read = outputRunOf(run.job_id, run);
  const sink = new ByteSink(output);
  for (const stream of STREAMS) {
    for await (const item of source.select(read, { streams: [stream], maxBytes: { bytes: maxBytes, keep: "last" } })) {
      if (item.kind === "line") await sink.write(stream, inColour(stream, rawLine(item), output.errorStyle));
      else
        await sink.write(
          "stderr",
          `${output.errorStyle.dim(omittedText(item, `${typed(output, `warren ${stream} ${run.job_id}`)} shows all`))}\n`,
        );
    }
  }
  await sink.flush();
}

function inColour(stream: Stream, line: Buffer, style: Context["output"]["errorStyle"]): Buffer {
  const start = style.tone("attention", "\0").split("\0")[0];
  if (stream === "stdout" || !start) return line;
  return Buffer.concat([Buffer.from(start), line, Buffer.from("\x1b[0m")]);
}
