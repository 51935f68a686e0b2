/** A queue between a pushing producer and one `for await` reader. Unbounded here: the server bounds what it sends to a slow subscriber. */
export class EventQueue<T> {
  readonly #items: T[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #failure: Error | undefined;

  push(item: T): void {
    if (this.#ended) return;
    this.#items.push(item);
    this.#wake?.();
  }

  /** What was pushed is still read; then the reader's loop ends. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** What was pushed is still read; then the reader's loop throws. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.end();
  }

  async *iterate(onDone: () => void): AsyncIterableIterator<T> {
    try {
      for (;;) {
        const item = this.#items.shift();
        if (item !== undefined) {
          yield item;
          continue;
        }
        if (this.#failure) throw this.#failure;
        if (this.#ended) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    } finally {
      this.#ended = true;
      onDone();
    }
  }
}
