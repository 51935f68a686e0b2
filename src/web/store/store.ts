/** Holds one state; every change goes through its reducer. Listeners are told once for all changes of a turn. */
export class Store<State, Action> {
  #state: State;
  readonly #reduce: (state: State, action: Action) => State;
  readonly #listeners = new Set<() => void>();
  #isTelling = false;

  constructor(state: State, reduce: (state: State, action: Action) => State) {
    this.#state = state;
    this.#reduce = reduce;
  }

  readonly get = (): State => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly dispatch = (action: Action): void => {
    const next = this.#reduce(this.#state, action);
    if (next === this.#state) return;
    this.#state = next;
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      for (const listener of [...this.#listeners]) listener();
    });
  };
}
