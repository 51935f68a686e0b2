import type { FrontWorker } from "../../protocol/front-messages.ts";
import { placesIn } from "./code-frame.ts";

/** Of a stack the first says most. */
const PLACES_SHOWN = 3;

/**
 * A program that was built and does not come up names places in what it prints last, its stack: they are shown as those of a build are, with the lines around.
 * They are looked up as the front is told, so that what is decided stays free of files.
 */
export function withFailurePlaces(worker: FrontWorker, dirs: { dir: string; projectDir: string }): FrontWorker {
  const { failure } = worker;
  if (failure === undefined || failure.places.length > 0 || failure.output.length === 0) return worker;
  const places = placesIn(failure.output.join("\n"), dirs).slice(0, PLACES_SHOWN);
  return { ...worker, failure: { ...failure, places } };
}
