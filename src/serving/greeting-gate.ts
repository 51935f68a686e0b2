import { PROTOCOL, type Request, STABLE } from "../protocol/envelope.ts";
import type { WarrenError } from "../protocol/errors.ts";
import type { PayloadOf } from "../protocol/messages.ts";

type Greeting = PayloadOf<"hello">;

export interface GreetingRefusals {
  /** No protocol that both speak: which side is old, and what mends it. */
  protocol: (theirs: Greeting["protocol"]) => WarrenError;
  /** A server of the build `meant` is meant; undefined when this is one. Default: whoever answers is meant. */
  build?: (meant: string) => WarrenError | undefined;
}

/**
 * Clients of another build, and clients that mean another server. One whose `hello` was refused gets nothing but what is the same in every version, until
 * a greeting of it is accepted: a request that means something else here is not carried out.
 */
export class GreetingGate<Client extends object> {
  readonly #refused = new WeakMap<Client, WarrenError>();
  readonly #refusals: GreetingRefusals;

  constructor(refusals: GreetingRefusals) {
    this.#refusals = refusals;
  }

  /** At once, since the requests behind a `hello` are here already. @throws what the refusals make */
  check({ type, payload }: Request, client: Client): void {
    if (type === "hello") {
      const refusal = this.#refusalOf(payload as Greeting);
      if (refusal) this.#refused.set(client, refusal);
      else this.#refused.delete(client);
    }
    const refusal = this.#refused.get(client);
    if (refusal && (type === "hello" || !STABLE.has(type))) throw refusal;
  }

  #refusalOf({ protocol, git_hash: meant }: Greeting): WarrenError | undefined {
    if (protocol.max < PROTOCOL.min || protocol.min > PROTOCOL.max) return this.#refusals.protocol(protocol);
    return meant === undefined ? undefined : this.#refusals.build?.(meant);
  }
}
