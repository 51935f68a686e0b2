/** What a run has done and what went wrong, by part. */
export interface Fault {
  part: string;
  what: string;
  /** Since the beginning. */
  atMs: number;
}

/** Faults that are kept in words; past it the run ends, since one more says nothing new. */
export const FAULTS_MAX = 20;

export interface LedgerOptions {
  onFault: (fault: Fault) => void;
  /** It was the last one that is kept. */
  onFull: () => void;
}

export class Ledger {
  readonly faults: Fault[] = [];
  readonly #counts = new Map<string, number>();
  /** What failed as the contract says that it may, by the sentence that allows it. */
  readonly allowed = new Map<string, number>();
  readonly #options: LedgerOptions;
  readonly #beganMs = performance.now();

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  add(what: string, count = 1): void {
    this.#counts.set(what, this.count(what) + count);
  }

  count(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  fault(part: string, error: unknown): void {
    if (this.faults.length >= FAULTS_MAX) return;
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const fault = { part, what, atMs: performance.now() - this.#beganMs };
    this.faults.push(fault);
    this.#options.onFault(fault);
    if (this.faults.length === FAULTS_MAX) this.#options.onFull();
  }

  allow(sentence: string): void {
    this.allowed.set(sentence, (this.allowed.get(sentence) ?? 0) + 1);
  }
}
