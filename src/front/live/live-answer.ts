import type { FrontWorker } from "../../protocol/front-messages.ts";
import type { HeadEdit, Transform } from "../proxy/responder.ts";
import { scriptTag } from "./client-script.ts";
import { HtmlInjection } from "./html-injection.ts";
import { isInjectable } from "./injectable.ts";
import type { LivePages } from "./live-pages.ts";

/**
 * What was said about the worker's bytes is not true of ours: they are another document, for this version only. A browser that kept it, or asked whether it is
 * still the same, would show a page with an outdated mark.
 */
const EDITS: readonly HeadEdit[] = [
  ["accept-ranges", undefined],
  ["age", undefined],
  ["cache-control", "no-store"],
  ["content-digest", undefined],
  ["content-md5", undefined],
  ["digest", undefined],
  ["etag", undefined],
  ["expires", undefined],
  ["last-modified", undefined],
  ["repr-digest", undefined],
];

/** Bytes that we could not read into would pass without the script. */
export const LIVE_REQUEST_EDITS: readonly HeadEdit[] = [["accept-encoding", "identity"]];

/** Puts the live reload script into a worker's documents, with the mark of the version that makes them: of the worker as it is told now. */
export function liveTransform(worker: FrontWorker, live: LivePages): Transform {
  const version = worker.instances[0]?.version ?? "";
  return (request, answer) => {
    if (!isInjectable(request, answer)) return undefined;
    const piece = Buffer.from(scriptTag(worker.name, { ...live.stateOf(worker.name), version }));
    const injection = new HtmlInjection(piece);
    return {
      addedBytes: piece.length,
      edits: EDITS,
      push: (chunk) => injection.push(chunk),
      end: () => injection.end(),
    };
  };
}
