import type { Action, Effect, Model } from "./model/model.ts";
import { update } from "./model/update.ts";

/**
 * Holds the model. Actions are applied at once and in order; the screen is asked for once per turn of the loop, however many there were, and not at
 * all when nothing changed.
 */
export class Store {
  #model: Model;
  readonly #onChange: (model: Model) => void;
  #scheduled: NodeJS.Immediate | undefined;
  /** Set before the first action. */
  onEffect: (effect: Effect) => void = () => {};

  constructor(model: Model, onChange: (model: Model) => void) {
    this.#model = model;
    this.#onChange = onChange;
  }

  get model(): Model {
    return this.#model;
  }

  readonly dispatch = (action: Action): void => {
    const [model, effects] = update(this.#model, action);
    if (model !== this.#model) {
      this.#model = model;
      this.#scheduled ??= setImmediate(() => this.#draw());
    }
    for (const effect of effects) this.onEffect(effect);
  };

  close(): void {
    if (this.#scheduled) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
  }

  #draw(): void {
    this.#scheduled = undefined;
    this.#onChange(this.#model);
  }
}
