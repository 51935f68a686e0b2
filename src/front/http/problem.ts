/** A message that is not HTTP as we take it. `status` is what the client is answered; of a worker's answer it is 502 whatever stands here. */
export class HttpProblem extends Error {
  readonly status: number;

  /** `reason`: a few words, shown to the client, without anything of what it sent. */
  constructor(status: number, reason: string) {
    super(reason);
    this.name = "HttpProblem";
    this.status = status;
  }
}

export function refuse(status: number, reason: string): never {
  throw new HttpProblem(status, reason);
}
