import type { Core } from "./xterm-core.ts";

/**
 * The hyperlinks (OSC 8) of a terminal, by the number that its cells have. In place of the emulator's own list, which forgets a link while it is still
 * being written, and keeps a marker for every line.
 */
const LINKS_MAX = 4096;

export interface Link {
  id?: string | undefined;
  uri: string;
}

export class Links {
  readonly #numbers = new Map<string, number>();
  readonly #links = new Map<number, Link>();
  #last = 0;

  constructor({ _oscLinkService }: Core) {
    _oscLinkService.registerLink = (link) => this.#numberOf(link);
    _oscLinkService.addLineToLink = () => {};
    _oscLinkService.getLinkData = (number) => this.#links.get(number);
  }

  /** Past the limit, the oldest one is text without a link. */
  #numberOf({ id, uri }: Link): number {
    const key = `${id ?? ""};${uri}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = ++this.#last;
    this.#numbers.set(key, number);
    this.#links.set(number, { id, uri });
    if (this.#links.size > LINKS_MAX) {
      const [oldest] = this.#numbers;
      if (oldest) this.#forget(...oldest);
    }
    return number;
  }

  #forget(key: string, number: number): void {
    this.#numbers.delete(key);
    this.#links.delete(number);
  }
}
