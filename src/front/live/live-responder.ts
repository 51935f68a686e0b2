import { once } from "node:events";
import type { Responder } from "../proxy/responder.ts";
import type { LivePages, LiveStream } from "./live-pages.ts";

/** A browser's stream of events about a worker: until it goes, does not read what it is sent, or the front ends. Resolves then. */
export const liveResponder =
  (live: LivePages, worker: string): Responder =>
  async (_request, response) => {
    const over = new AbortController();
    const stream: LiveStream = {
      write: (text) => response.write(text),
      end() {
        response.end();
        over.abort();
      },
    };
    response.head(200, [
      ["content-type", "text/event-stream"],
      ["cache-control", "no-store"],
      // Else nginx, if there is one before us, keeps events until it has a bufferful of them.
      ["x-accel-buffering", "no"],
    ]);
    if (!live.add(worker, stream)) stream.end();
    const isOver = AbortSignal.any([over.signal, response.signal]);
    if (!isOver.aborted) await once(isOver, "abort");
    live.remove(stream);
  };
