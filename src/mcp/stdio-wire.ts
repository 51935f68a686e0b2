import type { Readable, Writable } from "node:stream";
import { StdioServerTransport } from "@modelcontextprotocol/server/stdio";

/** A message of a client: a mail of one mebibyte as JSON, with room. Past it the connection is closed. */
const MESSAGE_BYTES_MAX = 8 * 1024 * 1024;

/** Standard input and output, with an end that can be waited for: the client has closed them, or has sent what is too large. */
export class StdioWire extends StdioServerTransport {
  readonly ended: Promise<void>;
  readonly #end: () => void;

  constructor(input: Readable, output: Writable) {
    super(input, output, { maxBufferSize: MESSAGE_BYTES_MAX });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
  }

  override async close(): Promise<void> {
    await super.close();
    this.#end();
  }
}
