import type { Section } from "../result.ts";
import type { SeriesOptions } from "../series.ts";
import type { Stage } from "../stage.ts";

/** One thing to measure. */
export interface Case {
  /** For `--only`. */
  name: string;
  run(bench: Bench): Promise<Section>;
}

export interface Bench {
  stage: Stage;
  /** A smoke run: does every case work? Its figures mean little. */
  quick: boolean;
  /** The largest counts too, which take long. */
  full?: boolean | undefined;
  say(line: string): void;
}

/** The counts of a full run, or the few rounds of a smoke run. */
export const rounds = ({ quick }: Bench, full: SeriesOptions): SeriesOptions =>
  quick ? { roundCountMin: 2, roundCountMax: 2, warmUpCount: 1 } : full;

export const measuredOf = (samples: Map<string, number[]>, names: readonly string[] = [...samples.keys()]) =>
  names.map((subject) => ({ subject, samples: samples.get(subject) ?? [] }));
