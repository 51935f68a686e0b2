import type { WorkerAction } from "../actions.ts";
import type { WorkerEvent } from "../events.ts";
import { drainingOf, frontWorkerOf } from "../front-record.ts";
import { desiredVersion, hasProcesses, healthyOf, isSpare, type WorkerState } from "../state.ts";

/** What the world knows, whatever the worker's state believes. */
export interface Facts {
  nowMs: number;
  /** Answered well since its start, as a server was told. */
  isProven: (instance: string) => boolean;
  /** Its end was told to a server. */
  isEndTold: (instance: string) => boolean;
  /** Versions that were given up, and not asked for since. */
  isGivenUp: (version: string) => boolean;
  /** Processes that exist. */
  existing: () => readonly string[];
}

/** What must hold after each decision; the sentences of what does not. */
export function invariantsOf(state: WorkerState, actions: readonly WorkerAction[], facts: Facts): string[] {
  const broken: string[] = [];
  const expect = (holds: boolean, sentence: string): void => {
    if (!holds) broken.push(sentence);
  };
  checkRecord(state, facts, expect);
  checkRoles(state, facts, expect);
  checkProcesses(state, actions, facts, expect);
  checkWake(state, actions, facts, expect);
  return broken;
}

type Expect = (holds: boolean, sentence: string) => void;

function checkRecord(state: WorkerState, facts: Facts, expect: Expect): void {
  const record = frontWorkerOf(state);
  const versions = new Set<string>();
  if (!hasProcesses(state.spec)) return;
  for (const { id, version } of record.instances) {
    versions.add(version);
    const instance = state.instances.find((one) => one.id === id);
    expect(facts.isProven(id), `${id} is in the front's record and has never answered well`);
    expect(!facts.isEndTold(id), `${id} is in the front's record and has ended`);
    expect(instance?.leaving === null, `${id} is in the front's record and leaves`);
  }
  expect(versions.size <= 1, `the front's record has ${versions.size} versions`);
  expect(record.state !== "serving" || record.instances.length > 0, "serves with nobody");
  expect(record.state !== "failed" || record.failure !== undefined, "failed without a failure to show");
  if (state.spec.mode === "dev" && record.state === "serving") {
    expect(state.touched === null, "serves while a change is not known");
    expect(state.current?.version === desiredVersion(state), "development serves an old version");
  }
  for (const id of drainingOf(state)) expect(!record.instances.some((one) => one.id === id), `${id} drains and serves`);
}

function checkRoles(state: WorkerState, { nowMs }: Facts, expect: Expect): void {
  expect((state.standby === null) === (state.probation === null), "a standby without probation, or the reverse");
  const releases = [state.current, state.candidate, state.standby].filter((one) => one !== null).map(({ id }) => id);
  expect(new Set(releases).size === releases.length, "one release in two roles");
  const ports = new Set<number>();
  for (const { id, release, leaving, port } of state.instances) {
    const isPlaced = leaving !== null || release === null || releases.includes(release);
    expect(isPlaced, `${id} belongs to no release and does not leave`);
    if (leaving?.kind === "draining") expect(leaving.deadlineMs > nowMs, `${id} drains past its limit`);
    if (port === null) continue;
    expect(!ports.has(port), `port ${port} is two instances'`);
    ports.add(port);
  }
}

function checkProcesses(state: WorkerState, actions: readonly WorkerAction[], facts: Facts, expect: Expect): void {
  const known = new Set(state.instances.map(({ id }) => id));
  for (const id of facts.existing()) expect(known.has(id), `${id} exists and nobody knows it`);
  const spares = state.instances.filter(isSpare).length;
  expect(spares <= 1, `${spares} spares`);
  for (const action of actions) {
    if (action.kind !== "start" && action.kind !== "load") continue;
    const count = state.instances.length - spares;
    const limit = 2 * Math.max(1, state.spec.instances) + 1;
    expect(action.version === null || count <= limit, `${count} processes after a start, more than ${limit}`);
    expect(
      action.version === null || !facts.isGivenUp(action.version),
      `${action.version} is bad and is started again`,
    );
  }
}

/** Whatever is waited for has a moment at which it is looked at again. */
function checkWake(state: WorkerState, actions: readonly WorkerAction[], { nowMs }: Facts, expect: Expect): void {
  const wake = actions.findLast((action) => action.kind === "wake");
  const isIdle = state.instances.length === 0 && (state.wanted !== "up" || !hasProcesses(state.spec));
  // The answer is a page, or a person has the word.
  const isSettled = state.isPaused || ["failed", "gone"].includes(frontWorkerOf(state).state);
  expect(wake !== undefined || isIdle || isSettled, "nothing is waited for");
  if (wake?.kind === "wake") expect(wake.atMs > nowMs, "wakes without end");
}

/** What a person or another configuration brings about is not a failure. */
const MAY_INTERRUPT: readonly WorkerEvent["kind"][] = ["command", "configured", "removed", "recovered"];

/** In production requests go on as long as anybody healthy is there, whatever becomes of builds, candidates and other instances. */
export function continuityOf(before: WorkerState, event: WorkerEvent, after: WorkerState): string[] {
  if (before.spec.mode === "dev" || MAY_INTERRUPT.includes(event.kind)) return [];
  const about = "instance" in event ? event.instance : undefined;
  const others = [
    ...healthyOf(before, before.current),
    ...(before.probation?.untilMs ? healthyOf(before, before.standby) : []),
  ];
  const stillHealthy = others.filter(
    ({ id }) => id !== about && after.instances.some((one) => one.id === id && one.health === "healthy"),
  );
  const wasServing = frontWorkerOf(before).state === "serving";
  if (!wasServing || stillHealthy.length === 0 || frontWorkerOf(after).state === "serving") return [];
  return [`${event.kind} interrupts, though ${stillHealthy[0]!.id} is healthy`];
}
