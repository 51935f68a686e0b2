import http from "node:http";

/**
 * Somebody who asks for the page without a pause, each time on a new connection. A GET whose connection is cut before the answer's end is asked again, as
 * browsers do (RFC 9110 §9.2.2); it counts as cut, and as failed when it is cut again and again.
 */
export class Visitor implements AsyncDisposable {
  answered = 0;
  cut = 0;
  readonly failures: string[] = [];
  /** The newest state of the page that was seen; an older one afterwards is a failure. */
  stage = 0;
  readonly #url: string;
  readonly #stages: readonly string[];
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  /** `stages`: what stands in the page, one after the other. */
  constructor(url: string, stages: readonly string[]) {
    this.#url = url;
    this.#stages = stages;
    this.#ended = this.#visit();
  }

  /** The last request is answered; safe to call twice. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  async #visit(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const problem = await this.#one();
      if (problem === undefined) this.answered += 1;
      else this.failures.push(problem);
    }
  }

  /** What was wrong with it, if anything was. */
  async #one(): Promise<string | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { status, body } = await get(this.#url);
        if (status !== 200) return `answered ${status}`;
        const stage = this.#stages.findLastIndex((words) => body.includes(words));
        if (stage < this.stage) return `the page went back to ${this.#stages[stage] ?? "something else"}`;
        this.stage = stage;
        return undefined;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== "ECONNRESET" || attempt === CUTS_MAX) return `${code ?? error}`;
        this.cut += 1;
      }
    }
  }
}

/** In a row, of one request. */
const CUTS_MAX = 5;
const ANSWER_TIMEOUT_MS = 30_000;

function get(url: string): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false, timeout: ANSWER_TIMEOUT_MS }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part) => {
        body += part;
      });
      response.on("end", () => resolve({ status: response.statusCode, body }));
      response.on("error", reject);
    });
    request.on("timeout", () => request.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)));
    request.on("error", reject);
  });
}
