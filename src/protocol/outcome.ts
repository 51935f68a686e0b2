/** How a run ended (CONTRACT §5). Null while it runs. Type aliases, not interfaces: they must fit the open objects of the wire. */

export type SignalledBy = "user" | "timeout" | "owner" | "stop" | "unknown";

export type Exited = {
  kind: "exited";
  /** 0–255, as the job gave it. */
  status: number;
};
export type Signalled = {
  kind: "signalled";
  /** "SIGTERM", … */
  signal: string;
  /** 128 + the signal's number. */
  status: number;
  by: SignalledBy;
};
export type Lost = {
  kind: "lost";
  reason: string;
};
export type Outcome = Exited | Signalled | Lost;

/** Exit statuses of our own (CONTRACT §4); a job's own status is passed through. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  lost: 120,
  stuck: 121,
  timeout: 124,
  error: 125,
  notExecutable: 126,
  notFound: 127,
  interrupted: 130,
} as const;

/** What `run` and `await` exit with. A run that its time limit ended counts as a timeout, whatever the signal was. */
export function exitStatusOf(outcome: Outcome): number {
  if (outcome.kind === "lost") return EXIT.lost;
  return outcome.kind === "signalled" && outcome.by === "timeout" ? EXIT.timeout : outcome.status;
}

export function succeeded(outcome: Outcome | null): boolean {
  return outcome?.kind === "exited" && outcome.status === 0;
}
