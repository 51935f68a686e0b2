import type { Connection } from "../connection.ts";
import type { TellFrame } from "./connection-meter.ts";
import { clientNotFound } from "./debug-errors.ts";

/** Who watches which connections. While nobody does, connections do not know of it. */
export class FrameTaps {
  readonly #connections: () => Iterable<Connection>;
  /** Those of all connections. */
  readonly #all = new Set<{ tell: TellFrame; stops: (() => void)[] }>();

  constructor(connections: () => Iterable<Connection>) {
    this.#connections = connections;
  }

  /** Without an id: of all, those that come later among them. @throws CLIENT_NOT_FOUND */
  open(id: number | undefined, tell: TellFrame): { following: number[]; stop: () => void } {
    const connections = [...this.#connections()];
    const meant = connections.filter(({ meter }) => id === undefined || meter.id === id);
    const ids = (some: readonly Connection[]): number[] => some.map(({ meter }) => meter.id);
    if (id !== undefined && meant.length === 0) throw clientNotFound(id, ids(connections));
    const tap = { tell, stops: meant.map(({ meter }) => meter.watch(tell)) };
    if (id === undefined) this.#all.add(tap);
    const stop = (): void => {
      this.#all.delete(tap);
      for (const one of tap.stops) one();
    };
    return { following: ids(meant), stop };
  }

  /** A client has come. */
  came({ meter, closed }: Connection): void {
    for (const { tell, stops } of this.#all) {
      const stop = meter.watch(tell);
      stops.push(stop);
      closed.addEventListener("abort", () => stops.splice(stops.indexOf(stop), 1), { once: true });
    }
  }
}
