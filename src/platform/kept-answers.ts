/** Answers to requests that may not be done twice, by the request's id: a repeat gets the first one. The oldest are forgotten. */
const ANSWERS_MAX = 100;

export class KeptAnswers<T> {
  readonly #byRequest = new Map<string, T>();

  of(requestId: string | undefined): T | undefined {
    return requestId === undefined ? undefined : this.#byRequest.get(requestId);
  }

  keep(requestId: string | undefined, answer: T): T {
    if (requestId === undefined) return answer;
    this.#byRequest.set(requestId, answer);
    if (this.#byRequest.size > ANSWERS_MAX) this.#byRequest.delete(this.#byRequest.keys().next().value!);
    return answer;
  }
}
