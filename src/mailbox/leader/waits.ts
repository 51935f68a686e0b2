/**
 * Who waits for something to happen, by what it is (a name's mail, a message's receipts). Woken by effects, after their commit; a waiter looks for itself
 * whether it was what it waits for.
 */
export class Waits {
  readonly #waiters = new Map<string, Set<() => void>>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  wake(key: string): void {
    for (const wake of [...(this.#waiters.get(key) ?? [])]) wake();
  }

  /**
   * Listens from the moment of the call, so that what happens between a look and the wait is not missed. `next` resolves true when it happened since the
   * last `next`, false at the deadline or when `signal` aborts.
   */
  listen(key: string): Waiter {
    let happened = false;
    let resolve: ((isWoken: boolean) => void) | undefined;
    const wake = (): void => {
      if (resolve) resolve(true);
      else happened = true;
    };
    const waiters = this.#waiters.get(key) ?? new Set();
    this.#waiters.set(key, waiters.add(wake));
    return {
      next: (timeoutMs, signal) =>
        new Promise<boolean>((settle) => {
          if (happened || timeoutMs <= 0 || signal.aborted) {
            const was = happened;
            happened = false;
            return settle(was);
          }
          const done = (isWoken: boolean): void => {
            resolve = undefined;
            this.#count -= 1;
            clearTimeout(timer);
            signal.removeEventListener("abort", give);
            settle(isWoken);
          };
          const give = (): void => done(false);
          const timer = setTimeout(give, timeoutMs);
          signal.addEventListener("abort", give, { once: true });
          this.#count += 1;
          resolve = done;
        }),
      [Symbol.dispose]: () => {
        waiters.delete(wake);
        if (waiters.size === 0 && this.#waiters.get(key) === waiters) this.#waiters.delete(key);
      },
    };
  }
}

export interface Waiter extends Disposable {
  next(timeoutMs: number, signal: AbortSignal): Promise<boolean>;
}

export const mailFor = (name: string): string => `to ${name}`;
/** By the id alone: its sender may have another name by now, and who is woken for another's looks again. */
export const receiptsOf = (id: string): string => `of ${id}`;
