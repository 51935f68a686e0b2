/**
 * Reads Prometheus' text format, version 0.0.4, and refuses whatever is not exactly that: names, escapes, one family in one piece under its type, no sample
 * twice, counters that end in `_total`, histograms that are cumulative and end in `+Inf` with the same count.
 */
export interface Sample {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
}

export interface Family {
  name: string;
  type: string;
  samples: Sample[];
}

const SAMPLE =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",)*(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*")?)\})? (\+Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

export function parsePrometheus(text: string): Family[] {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let help: string | undefined;
  let family: Family | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const [, kind, name = "", rest = ""] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line) ?? [];
    if (kind === "HELP") help = name;
    else if (kind === "TYPE") {
      if (help !== name) throw new Error(`no help before it: ${line}`);
      if (families.has(name)) throw new Error(`in two pieces: ${line}`);
      if (!["counter", "gauge", "histogram"].includes(rest)) throw new Error(`no type: ${line}`);
      if ((rest === "counter") !== name.endsWith("_total")) throw new Error(`named wrong: ${line}`);
      family = { name, type: rest, samples: [] };
      families.set(name, family);
    } else {
      const sample = sampleIn(line);
      const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (seen.has(key)) throw new Error(`twice: ${line}`);
      seen.add(key);
      if (family === undefined || !belongs(sample, family)) throw new Error(`of no family: ${line}`);
      family.samples.push(sample);
    }
  }
  for (const one of families.values()) if (one.type === "histogram") checkHistogram(one);
  return [...families.values()];
}

function sampleIn(line: string): Sample {
  const match = SAMPLE.exec(line);
  if (match === null) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  for (const [, name, value] of (match[2] ?? "").matchAll(/([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"/g)) {
    if (name! in labels) throw new Error(`a label twice: ${line}`);
    labels[name!] = value!.replace(/\\(.)/g, (_, character) => (character === "n" ? "\n" : character));
  }
  return { name: match[1]!, labels, value: match[3] === "+Inf" ? Number.POSITIVE_INFINITY : Number(match[3]) };
}

const belongs = ({ name }: Sample, family: Family): boolean =>
  family.type === "histogram"
    ? ["_bucket", "_sum", "_count"].some((suffix) => name === family.name + suffix)
    : name === family.name;

function checkHistogram({ name, samples }: Family): void {
  const byLabels = Map.groupBy(samples, ({ labels: { le: _, ...rest } }) => JSON.stringify(rest));
  for (const [labels, group] of byLabels) {
    const of = (suffix: string) => group.filter((sample) => sample.name === name + suffix);
    const buckets = of("_bucket");
    const edges = buckets.map(({ labels: { le } }) => (le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le)));
    const isGrowing = (values: number[]) => values.every((value, at) => at === 0 || value >= values[at - 1]!);
    if (!isGrowing(edges) || edges.at(-1) !== Number.POSITIVE_INFINITY) throw new Error(`edges of ${name}${labels}`);
    if (!isGrowing(buckets.map(({ value }) => value))) throw new Error(`not cumulative: ${name}${labels}`);
    if (of("_sum").length !== 1 || of("_count")[0]?.value !== buckets.at(-1)!.value)
      throw new Error(`sum and count of ${name}${labels}`);
  }
}
