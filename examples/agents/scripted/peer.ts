// JSON-RPC over stdin and stdout, a message a line: the wire of the Agent Client Protocol.

export type Fields = Record<string, unknown>;
export type Handler = (params: Fields) => Promise<Fields> | Fields;

export class RpcError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The client, as this agent sees it. */
export class Peer {
  readonly #requests: Record<string, Handler>;
  readonly #notifications: Record<string, (params: Fields) => void>;
  readonly #waiting = new Map<number, PromiseWithResolvers<Fields>>();
  #nextId = 0;

  constructor(requests: Record<string, Handler>, notifications: Record<string, (params: Fields) => void>) {
    this.#requests = requests;
    this.#notifications = notifications;
  }

  notify(method: string, params: Fields): void {
    write({ method, params });
  }

  request(method: string, params: Fields): Promise<Fields> {
    const id = this.#nextId++;
    const answer = Promise.withResolvers<Fields>();
    this.#waiting.set(id, answer);
    write({ id, method, params });
    return answer.promise;
  }

  /** Resolves when the client closes our stdin. */
  async serve(input: AsyncIterable<string>): Promise<void> {
    let rest = "";
    for await (const chunk of input) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.trim() !== "") this.#onLine(line);
    }
  }

  #onLine(line: string): void {
    const message = JSON.parse(line) as Fields;
    const { id, method, params = {} } = message;
    if (typeof method !== "string") this.#onAnswer(message);
    else if (id === undefined) this.#notifications[method]?.(params as Fields);
    else void this.#onRequest(id, method, params as Fields);
  }

  #onAnswer({ id, result, error }: Fields): void {
    const waiting = this.#waiting.get(id as number);
    this.#waiting.delete(id as number);
    if (error) waiting?.reject(new RpcError((error as RpcError).code, (error as RpcError).message));
    else waiting?.resolve((result ?? {}) as Fields);
  }

  async #onRequest(id: unknown, method: string, params: Fields): Promise<void> {
    try {
      const handler = this.#requests[method];
      if (!handler) throw new RpcError(-32601, `there is no method ${method}`);
      write({ id, result: await handler(params) });
    } catch (error) {
      const code = error instanceof RpcError ? error.code : -32603;
      write({ id, error: { code, message: error instanceof Error ? error.message : String(error) } });
    }
  }
}

function write(message: Fields): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}
