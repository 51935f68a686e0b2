import type { Outcome, Step } from "./writer.ts";

/**
 * A sender's answer has in it what the sender has said. That body does not travel back from the writer's thread: whoever handed the operation over still
 * has it, and puts it back. The answer to a repeat that says something else keeps its own.
 */
interface Said {
  body?: string | undefined;
}

export function leaveOutEcho(step: Step, outcome: Outcome): void {
  const message = sentMessage(step, outcome);
  if (message && message.body === (step as { payload: Said }).payload.body) message.body = undefined;
}

export function putBackEcho(step: Step, outcome: Outcome): void {
  const message = sentMessage(step, outcome);
  if (message && message.body === undefined) message.body = (step as { payload: Said }).payload.body;
}

const sentMessage = ({ type }: Step, outcome: Outcome): Said | undefined =>
  (type === "mail.send" || type === "mail.reply") && !("error" in outcome)
    ? (outcome.answer as { message: Said }).message
    : undefined;
