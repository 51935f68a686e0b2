/** One thing that somebody does who should not, and what has to come of it. */
export interface Attack {
  /** Who, and what: unique. */
  name: string;
  /** What the attacker does, in one sentence. */
  how: string;
  /** Does it with real code; throws when it gets through, or leaves anything behind. */
  run(): Promise<void>;
}
