/** By then something has gone wrong, on a busy machine too. */
const DEADLINE_MS = 20_000;

/** What a test waits for: looked at whenever something has happened, never by the clock. */
export class Conditions {
  readonly #looks = new Set<() => void>();

  /** Something has happened. */
  look(): void {
    for (const look of [...this.#looks]) look();
  }

  /** Resolves when `condition` holds; past the deadline it rejects with what was waited for, and what is seen instead. */
  until(condition: () => boolean, what: string, seen: () => string = () => ""): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#looks.delete(look);
        reject(new Error(`not within ${DEADLINE_MS} ms: ${what}${seen()}`));
      }, DEADLINE_MS);
      const look = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }
}
