/** What cases hand to the report. */
export type Unit = "ms" | "MB" | "%" | "MB/min" | "MB/s" | "kB" | "" | "µs" | "req/s" | "msg/s";

export interface Measured {
  /** `warren`, or a peer's name. */
  subject: string;
  samples: readonly number[];
}

export type Target = ({ atMost: number } | { atLeast: number }) & {
  /** Which statistic of the samples is judged. */
  of: "p50" | "p90" | "p99" | "max";
  /** As DESIGN's budgets word it, when it is not the bare number, e.g. "bare start + 15 ms". */
  wording?: string;
};

export interface Row {
  /** What is measured, e.g. "`list`". */
  what: string;
  unit: Unit;
  target?: Target;
  measured: readonly Measured[];
  /** Said below the table. */
  note?: string;
}

export interface Section {
  title: string;
  rows: readonly Row[];
  /** The columns beside Warren's, where they are others than the part's. */
  peers?: readonly string[];
}
