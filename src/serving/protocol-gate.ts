import { PROTOCOL, type Request, STABLE } from "../protocol/envelope.ts";
import type { WarrenError } from "../protocol/errors.ts";
import type { PayloadOf } from "../protocol/messages.ts";

export type SpokenProtocols = PayloadOf<"hello">["protocol"];

/**
 * Clients of another build. One whose `hello` was refused gets nothing but what is the same in every version, until a greeting of it is understood: a request
 * that means something else here is not carried out.
 */
export class ProtocolGate<Client extends object> {
  readonly #refused = new WeakMap<Client, WarrenError>();
  readonly #refusal: (theirs: SpokenProtocols) => WarrenError;

  /** @param refusal which side is old, and what mends it */
  constructor(refusal: (theirs: SpokenProtocols) => WarrenError) {
    this.#refusal = refusal;
  }

  /** At once, since the requests behind a `hello` are here already. @throws what `refusal` makes */
  check({ type, payload }: Request, client: Client): void {
    if (type === "hello") {
      const { protocol } = payload as PayloadOf<"hello">;
      if (protocol.max >= PROTOCOL.min && protocol.min <= PROTOCOL.max) this.#refused.delete(client);
      else this.#refused.set(client, this.#refusal(protocol));
    }
    const refusal = this.#refused.get(client);
    if (refusal && (type === "hello" || !STABLE.has(type))) throw refusal;
  }
}
