import { fieldIn } from "../http/field-lines.ts";
import type { Peer } from "../http/forwarding.ts";
import { type Identifiers, isSaneRequestId, isTraceparent } from "../http/identifiers.ts";
import { hasBody, type ReceivedForwarding, type RequestHead } from "../http/request-head.ts";
import type { RequestFacts } from "./responder.ts";

/** A request that was found good, as everything on this side of the seam and beyond it sees it. */
export class IncomingRequest implements RequestFacts {
  readonly head: RequestHead;
  readonly peer: Peer;
  readonly requestId: string;
  readonly traceparent: string;
  readonly hasBody: boolean;

  constructor(head: RequestHead, peer: Peer, identifiers: Identifiers) {
    this.head = head;
    this.peer = peer;
    this.hasBody = hasBody(head);
    const { requestId, traceparent } = head;
    const made = identifiers.next();
    this.requestId = requestId !== undefined && isSaneRequestId(requestId) ? requestId : made;
    const isTraced = traceparent !== undefined && isTraceparent(traceparent);
    this.traceparent = isTraced ? traceparent : identifiers.traceparent(made);
  }

  get method(): string {
    return this.head.method;
  }

  get path(): string {
    return this.head.path;
  }

  get query(): string | undefined {
    return this.head.query;
  }

  get host(): string | undefined {
    return this.head.host;
  }

  get minorVersion(): 0 | 1 {
    return this.head.minorVersion;
  }

  get remoteAddress(): string {
    return this.peer.address;
  }

  get isSecure(): boolean {
    return this.peer.isSecure || isSecurely(this.head.received);
  }

  get isForwarded(): boolean {
    return this.head.isForwarded;
  }

  get isUpgrade(): boolean {
    return this.head.isUpgrade;
  }

  /** It may be sent a second time: it has no effect (RFC 9110 §9.2.1), and nothing of it would be gone by then. */
  get isRepeatable(): boolean {
    const { method, isUpgrade } = this.head;
    return (method === "GET" || method === "HEAD" || method === "OPTIONS") && !this.hasBody && !isUpgrade;
  }

  /** Path and query. */
  get target(): string {
    const { path, query } = this.head;
    return query === undefined ? path : `${path}?${query}`;
  }

  field(name: string): string | undefined {
    return fieldIn(this.head.lines, name);
  }
}

/** As a trusted proxy says of the client's own connection: the first of several (RFC 7239 §4). */
const isSecurely = (received: ReceivedForwarding | undefined): boolean =>
  received !== undefined &&
  (/^https\b/i.test(received.proto ?? "") || /^[^,]*\bproto="?https\b/i.test(received.forwarded ?? ""));
