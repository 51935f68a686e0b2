import { JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream";
import { messageOf } from "../../../protocol/errors.ts";

/** The server's refusals, by their codes. */

export const isNotFound = (error: unknown): boolean =>
  error instanceof JetStreamApiError &&
  (error.code === JetStreamApiCodes.StreamNotFound || error.code === JetStreamApiCodes.ConsumerNotFound);

/** Somebody else has changed it since. */
export const isConflict = (error: unknown): boolean =>
  error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamWrongLastSequence;

const START = "nats-server -js -sd DIRECTORY";

/** In words that help whoever typed the URL. */
export function problemOf(error: unknown): { problem: string; fix: string } {
  const text = messageOf(error);
  const { name } = error instanceof Error ? error : { name: "" };
  if (name === "AuthorizationError")
    return {
      problem: "the server refuses the user, password or credentials",
      fix: "warren mail join nats://USER:PASSWORD@HOST:4222",
    };
  if (name === "JetStreamNotEnabled" || /jetstream.*not enabled/i.test(text))
    return { problem: "it has no JetStream", fix: START };
  if (/ECONNREFUSED|CONNECTION_REFUSED|connection refused/i.test(text))
    return { problem: "no server answers there", fix: START };
  return { problem: text, fix: "warren mail join nats://HOST:4222" };
}
