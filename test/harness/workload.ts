import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { exitStatusOf, type Outcome } from "../../src/protocol/outcome.ts";
import type { Job } from "../../src/protocol/units.ts";
import type { Random } from "./random.ts";

/**
 * Jobs whose whole life is known beforehand: every byte of both streams, and how they end. Numbered lines, a checksum at the end, some without a final
 * newline; written by sh alone, so that hundreds of them are cheap.
 */
export interface Planned {
  /** Unique, so that a doubled start is seen. */
  index: number;
  command: string[];
  stdout: string;
  stderr: string;
  end: { kind: "exits"; status: number } | { kind: "kills itself"; status: number } | { kind: "is stopped" };
}

/** Lines of each stream between two pauses. */
const LINES_PER_STEP = 40;

const SCRIPT = `index=$1 steps=$2 pause=$3 end=$4 newline=$5 n=0 sum=0
i=0; while [ $i -lt $steps ]; do i=$((i+1))
  j=0; while [ $j -lt ${LINES_PER_STEP} ]; do j=$((j+1)) n=$((n+1)) sum=$(( (sum * 31 + n + index) % 1000003 ))
    echo "job $index line $n"; echo "job $index error $n" >&2
  done
  [ $pause = 0 ] || sleep $pause
done
printf "sum $sum$newline"; printf "end of $index$newline" >&2
case $end in
  stay) while :; do sleep 1000; done ;;
  kill) kill -9 $$ ;;
  *) exit $end ;;
esac`;

export interface PlanOptions {
  index: number;
  random: Random;
  /** Steps of output, with a pause after each. */
  stepsMax: number;
}

export function plan({ index, random, stepsMax }: PlanOptions): Planned {
  const steps = random.between(1, stepsMax);
  const pause = random.pick(["0", "0.01", "0.05", "0.1"]);
  const newline = random.oneIn(3) ? "" : "\\n";
  const end = random.pick([
    { kind: "exits", status: 0 },
    { kind: "exits", status: 3 },
    { kind: "exits", status: 42 },
    { kind: "kills itself", status: 137 },
    { kind: "is stopped" },
  ] as const);
  const word = end.kind === "exits" ? String(end.status) : end.kind === "is stopped" ? "stay" : "kill";
  return {
    index,
    end,
    command: ["sh", "-c", SCRIPT, "sh", String(index), String(steps), pause, word, newline],
    ...expectedOutput(index, steps * LINES_PER_STEP, newline === "" ? "" : "\n"),
  };
}

/** The last words of both streams: a job that is to be stopped has said everything once it has said them. */
export const hasSaidAll = ({ stdout, stderr }: Planned, sizes: { stdout: number; stderr: number }): boolean =>
  sizes.stdout === stdout.length && sizes.stderr === stderr.length;

/** It ran once, ended as planned, and every byte of it is there. */
export function assertAsPlanned(job: Job, planned: Planned): void {
  const said = `job ${planned.index} (${planned.end.kind})`;
  assert.equal(job.run_count, 1, `${said}: one run`);
  assert.equal(job.status, "stopped", said);
  const outcome = job.outcome as Outcome | null;
  assert.ok(outcome && outcome.kind !== "lost", `${said}: ${JSON.stringify(outcome)}`);
  if (planned.end.kind === "is stopped")
    assert.deepEqual(outcome, { kind: "signalled", signal: "SIGTERM", status: 143, by: "user" }, said);
  else assert.equal(exitStatusOf(outcome), planned.end.status, `${said}: ${JSON.stringify(outcome)}`);
  for (const [path, expected] of [
    [job.stdout_path, planned.stdout],
    [job.stderr_path, planned.stderr],
  ] as const) {
    const found = readFileSync(path);
    assert.equal(digest(found), digest(expected), `${said}: ${path} has ${found.length} of ${expected.length} bytes`);
  }
}

const digest = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex").slice(0, 12);

function expectedOutput(index: number, lines: number, newline: string): { stdout: string; stderr: string } {
  let stdout = "";
  let stderr = "";
  let sum = 0;
  for (let n = 1; n <= lines; n += 1) {
    sum = (sum * 31 + n + index) % 1_000_003;
    stdout += `job ${index} line ${n}\n`;
    stderr += `job ${index} error ${n}\n`;
  }
  return { stdout: `${stdout}sum ${sum}${newline}`, stderr: `${stderr}end of ${index}${newline}` };
}
