/** What was killed, and when: what fails may be allowed by it, by name. */
export type Victim = "server" | "front" | "worker" | "hub" | "reload";

export interface Incident {
  victim: Victim;
  /** The moment before the first signal. */
  beganMs: number;
  /** Its process had gone, or somebody serves again; undefined: not yet. */
  endedMs?: number;
}

const NEAR_MS = 10_000;

export class Incidents {
  readonly all: Incident[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs();
  }

  /** Around a kill. */
  async during<T>(victim: Victim, kill: () => Promise<T>): Promise<T> {
    const incident: Incident = { victim, beganMs: this.#nowMs() };
    this.all.push(incident);
    try {
      return await kill();
    } finally {
      incident.endedMs = this.#nowMs();
    }
  }

  count(victim: Victim): number {
    return this.all.filter((one) => one.victim === victim).length;
  }

  /** In words, what happened shortly before a moment: for whoever looks for a cause. */
  near(atMs: number): string[] {
    return this.all
      .filter(({ beganMs, endedMs }) => beganMs <= atMs && (endedMs === undefined || endedMs > atMs - NEAR_MS))
      .map(({ victim, beganMs, endedMs }) => {
        const until = endedMs === undefined ? "goes on" : `until ${(atMs - endedMs).toFixed(0)} ms`;
        return `${victim} (${(atMs - beganMs).toFixed(0)} ms before, ${until} before)`;
      });
  }

  /** Something of that kind was killed between the two moments, or was still going down at the first. */
  within(victims: readonly Victim[], fromMs: number, toMs: number): boolean {
    return this.all.some(
      ({ victim, beganMs, endedMs }) =>
        victims.includes(victim) && beganMs <= toMs && (endedMs === undefined || endedMs >= fromMs),
    );
  }
}
