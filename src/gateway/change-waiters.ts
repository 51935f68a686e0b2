/** Who waits for a project to become something: each is asked after every change. */
export class ChangeWaiters {
  readonly #checks = new Set<() => void>();

  changed(): void {
    for (const check of [...this.#checks]) check();
  }

  /** Calls `look` now and after each change, until it answers something or `signal` is aborted. */
  async until<T>(look: () => T | undefined, signal: AbortSignal): Promise<T | undefined> {
    const { promise, resolve } = Promise.withResolvers<T | undefined>();
    const check = (): void => {
      const found = look();
      if (found !== undefined) resolve(found);
    };
    const stop = (): void => resolve(undefined);
    this.#checks.add(check);
    signal.addEventListener("abort", stop, { once: true });
    try {
      check();
      if (signal.aborted) stop();
      return await promise;
    } finally {
      this.#checks.delete(check);
      signal.removeEventListener("abort", stop);
    }
  }
}
