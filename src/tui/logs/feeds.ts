import { messageOf } from "../../protocol/errors.ts";
import { StreamLog } from "../../runs/logs/log-source.ts";
import type { Action, Effect, LogPanelId, LogRange, LogSource } from "../model/model.ts";
import { watchGrowth } from "./growth.ts";
import { findLine, readWindow } from "./window.ts";

/** The two open logs: one file and one watch per panel, replaced when the panel shows another run. An answer for a run that is no longer shown is
 * recognised by its source and dropped by the model. */

interface Feed {
  source: LogSource;
  log: StreamLog;
  controller: AbortController;
  search: AbortController | undefined;
  /** The reads of `log`, one after the other; it is closed behind the last. */
  reads: Promise<void>;
}

export class LogFeeds {
  readonly #dispatch: (action: Action) => void;
  readonly #feeds = new Map<LogPanelId, Feed>();

  constructor(dispatch: (action: Action) => void, signal: AbortSignal) {
    this.#dispatch = dispatch;
    signal.addEventListener("abort", () => this.#closeAll(), { once: true });
  }

  watch(panel: LogPanelId, source: LogSource | null): void {
    this.#close(panel);
    if (source === null) return;
    const controller = new AbortController();
    const log = new StreamLog(panel, source.path);
    this.#feeds.set(panel, { source, log, controller, search: undefined, reads: Promise.resolve() });
    watchGrowth(source.path, () => this.#dispatch({ type: "log-grew", panel, source }), controller.signal);
  }

  read(panel: LogPanelId, source: LogSource, range: LogRange): void {
    const feed = this.#feeds.get(panel);
    if (feed?.source.path !== source.path) return;
    feed.reads = feed.reads.then(() =>
      this.#guard(feed, async () => {
        if (feed.controller.signal.aborted) return;
        const window = await readWindow(feed.log, range);
        this.#dispatch({ type: "log-read", panel, source, range, window });
      }),
    );
  }

  find({ panel, source, query, fromByte, direction }: Extract<Effect, { kind: "find-in-log" }>): void {
    const feed = this.#feeds.get(panel);
    if (feed?.source.path !== source.path) return;
    feed.search?.abort();
    const search = new AbortController();
    feed.search = search;
    void this.#guard(feed, async () => {
      const signal = AbortSignal.any([search.signal, feed.controller.signal]);
      // A file of its own: a search through a gigabyte holds up no read.
      const log = new StreamLog(panel, source.path);
      const matchByte = await findLine(log, query, fromByte, direction, signal).finally(() => log.close());
      if (!signal.aborted) this.#dispatch({ type: "log-found", panel, source, matchByte });
    });
  }

  /** Never rejects. */
  #guard(feed: Feed, work: () => Promise<void>): Promise<void> {
    return work().catch((error: unknown) => {
      if (feed.controller.signal.aborted) return;
      this.#dispatch({ type: "failed", text: `${feed.source.path} cannot be read: ${messageOf(error)}` });
    });
  }

  #close(panel: LogPanelId): void {
    const feed = this.#feeds.get(panel);
    if (!feed) return;
    this.#feeds.delete(panel);
    feed.controller.abort();
    feed.search?.abort();
    feed.reads.then(() => feed.log.close()).catch(() => {});
  }

  #closeAll(): void {
    for (const panel of [...this.#feeds.keys()]) this.#close(panel);
  }
}
