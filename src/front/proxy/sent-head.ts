import { withEdits } from "../http/field-lines.ts";
import { viaLine } from "../http/forwarding.ts";
import { requestText } from "../http/request-text.ts";
import { isSendableTarget } from "../http/target.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import type { Instance } from "./instance.ts";
import type { ExchangeFailure, SessionTarget, WorkerTarget } from "./responder.ts";

export interface SentHead {
  request: IncomingRequest;
  target: WorkerTarget | SessionTarget;
  instance: Instance;
  /** It is found by its own name; the client's is in X-Forwarded-Host. */
  isElsewhere: boolean;
  forwarding: string;
}

/** The head of a request as an instance reads it, or why it cannot be sent. */
export function sentHead(sent: SentHead): string | Pick<ExchangeFailure, "code" | "reason"> {
  const { request, target, instance, isElsewhere, forwarding } = sent;
  const { head } = request;
  const via = viaLine(head.via);
  if (via === undefined) return { code: "LOOP", reason: "This request has come through the gateway too often." };
  if (target.target !== head.path && !isSendableTarget(target.target))
    return { code: "INTERNAL", reason: "A route has made a target that cannot be sent." };
  const edits = target.kind === "worker" ? target.edits : undefined;
  return requestText({
    head,
    target: target.target,
    host: isElsewhere ? instance.authority : (head.host ?? instance.authority),
    lines: edits === undefined ? head.lines : withEdits(head.lines, edits),
    forwarding,
    via,
    requestId: request.requestId,
    traceparent: request.traceparent,
  });
}
