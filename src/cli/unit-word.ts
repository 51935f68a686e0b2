/** A unit as somebody names it: `fox`, or with its kind, where units of two kinds share a name. */
export type WordKind = "job" | "session" | "worker";

const KINDS: Readonly<Record<string, WordKind>> = {
  job: "job",
  session: "session",
  agent: "session",
  worker: "worker",
};

/** `session:fox` → session and fox. */
export function wordOf(reference: string): { kind: WordKind | undefined; name: string } {
  const at = reference.indexOf(":");
  const word = reference.slice(0, Math.max(0, at));
  const kind = Object.hasOwn(KINDS, word) ? KINDS[word] : undefined;
  return { kind, name: kind === undefined ? reference : reference.slice(at + 1) };
}
