import { type Bad, desiredVersion, type VersionRecord, type WorkerState } from "./state.ts";
import { report, type Step } from "./step.ts";

/** What is known of a worker's versions: which are on disk, which are bad and why, which served. */

/** Bad versions that are remembered with their reason, besides those in use. */
const BAD_COUNT = 20;

export const versionRecord = (state: WorkerState, id: string | null): VersionRecord | undefined =>
  state.versions.find((version) => version.id === id);

export function knownVersion(state: WorkerState, id: string): VersionRecord {
  const found = versionRecord(state, id);
  if (found) return found;
  const made: VersionRecord = { id, isBuilt: false, bad: null, servedAtMs: null };
  state.versions.push(made);
  return made;
}

/** It is not started again until the sources change to it, or a person asks. A rollback to it is over. */
export function markBad(step: Step, id: string, bad: Omit<Bad, "atMs">): void {
  const { state, nowMs } = step;
  knownVersion(state, id).bad = { ...bad, atMs: nowMs };
  if (state.pin === id) state.pin = null;
  report(step, bad.phase === "build" ? "build_failed" : "version_bad", {
    version: id,
    phase: bad.phase,
    reason: bad.reason,
  });
}

export function clearBad(state: WorkerState, id: string | null): void {
  const record = versionRecord(state, id);
  if (record) record.bad = null;
}

/** The version that a rollback goes to, or why there is none. */
export function rollbackTarget(state: WorkerState, to?: string): { version: string } | { refusal: string } {
  const now = state.current?.version ?? desiredVersion(state);
  if (to !== undefined) return mayReturnTo(state, to);
  const served = state.versions
    .filter(({ id, isBuilt, bad, servedAtMs }) => id !== now && isBuilt && bad === null && servedAtMs !== null)
    .sort((a, b) => b.servedAtMs! - a.servedAtMs!);
  const [last] = served;
  return last ? { version: last.id } : { refusal: "no other version that served is kept" };
}

function mayReturnTo(state: WorkerState, id: string): { version: string } | { refusal: string } {
  const record = versionRecord(state, id);
  if (!record?.isBuilt) return { refusal: `version ${id} is not kept` };
  return record.bad === null ? { version: id } : { refusal: `version ${id} is bad: ${record.bad.reason}` };
}

/** Versions whose artefacts must stay on disk: those in use, and the `keepCount` that served or were made last. */
export function versionsToKeep(state: WorkerState): string[] {
  const inUse = versionsInUse(state);
  const others = state.versions
    .filter(({ id, isBuilt, bad }) => isBuilt && bad === null && !inUse.has(id))
    .sort((a, b) => (b.servedAtMs ?? 0) - (a.servedAtMs ?? 0));
  return [...inUse, ...others.slice(0, state.spec.keepCount).map(({ id }) => id)];
}

/** Forgets what is neither kept nor worth remembering. */
export function forgetVersions(state: WorkerState): void {
  if (state.versions.length <= state.spec.keepCount) return;
  const kept = new Set(versionsToKeep(state));
  const bad = state.versions.filter(({ id, bad }) => bad !== null && !kept.has(id)).slice(-BAD_COUNT);
  state.versions = state.versions.filter((version) => kept.has(version.id) || bad.includes(version));
}

function versionsInUse(state: WorkerState): Set<string> {
  const inUse = new Set<string>();
  for (const id of [state.source, state.pin, state.build?.version]) if (id) inUse.add(id);
  for (const release of [state.current, state.candidate, state.standby]) if (release) inUse.add(release.version);
  return inUse;
}
