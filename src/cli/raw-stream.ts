import { EXIT } from "../protocol/outcome.ts";
import type { Stream } from "../runs/logs/files.ts";
import { defineCommand, ONE_UNIT } from "./command.ts";
import { onUnit } from "./on-unit.ts";
import { omittedText } from "./render/omitted-text.ts";
import { endHoweverLong } from "./run-end.ts";
import { isRunId, runNamed } from "./run-of.ts";
import { outputOf } from "./run-output.ts";

/** `stdout` and `stderr`: one stream of one run, byte for byte, to standard output. */
export const rawStreamCommand = (stream: Stream) =>
  defineCommand({
    usage: [`${stream} NAME [-f] [--run RUN]`],
    details: `Prints the ${stream} of the job's last run, byte for byte. With -f it waits for more until the run ends.`,
    examples: [
      { command: `warren ${stream} 4xc`, does: `the whole ${stream} of the last run` },
      { command: `warren ${stream} test --run 2 | less -R`, does: "that of run 2" },
    ],
    options: {
      follow: { type: "boolean", short: "f", description: "wait for more until the run ends" },
      run: { type: "string", value: "RUN", description: "an earlier run instead of the last one" },
    },
    operands: ONE_UNIT,
    async run(context, { values, operands }) {
      const { output } = context;
      const name = operands[0]!;
      const run = isRunId(name)
        ? await runNamed(context, name, values.run)
        : await onUnit(context, name, { verb: stream, job: (job) => runNamed(context, job, values.run) });
      const isFollowed = values.follow === true && run.isRunning;
      const interrupted = isFollowed ? context.interrupted() : undefined;
      const ended = interrupted ? endHoweverLong(context, run.job, interrupted) : Promise.resolve();
      const onDropped = (bytes: number): void =>
        output.errorLine(omittedText({ kind: "omitted", runId: run.runId, stream, reason: "dropped", bytes }));
      const source = await outputOf(context);
      const until = interrupted ? { signal: interrupted } : {};
      for await (const bytes of source.bytes(run, stream, { ended, onDropped, ...until }))
        await output.bytes("stdout", bytes);
      if (!interrupted?.aborted) return EXIT.ok;
      output.errorLine(`Stopped following; job ${run.job.name ?? run.job.id} goes on.`);
      return EXIT.interrupted;
    },
  });
