import type { AnswerTo, By, Operation, PayloadFor, Performed, PerformType, ReadType } from "../log/operations.ts";

/** What claude-ipc's wire needs of the log: the leader's own way to it, so that whoever waits is woken by what comes in here. */
export interface IpcLog {
  perform<T extends PerformType>(operation: Operation<T>): Promise<Performed<T>>;
  read<T extends ReadType>(operation: Operation<T>): Promise<AnswerTo<T>>;
}

/** Whose request it is: the session's name, and its token as the client, so that of two registrations of a name one holds it. */
export interface IpcSession {
  name: string;
  client: string;
}

const CLIENT_CHARACTERS = 16;

export const sessionOf = (name: string, tokenHash: string): IpcSession => ({
  name,
  client: `ipc:${tokenHash.slice(0, CLIENT_CHARACTERS)}`,
});

/** Operations of a session. None has a request id: on this wire nothing is repeated by itself. */
export class IpcMail {
  readonly #log: IpcLog;
  readonly #nowMs: () => number;

  constructor(log: IpcLog, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /** Resolves after the commit. */
  async perform<T extends PerformType>(type: T, by: By, payload: PayloadFor<T>): Promise<AnswerTo<T>> {
    return (await this.#log.perform<T>({ type, payload, by, nowMs: this.#nowMs() })).answer;
  }

  /** A sentence of the mailbox itself. */
  async notify(to: string[], body: string): Promise<void> {
    await this.perform("mail.send", { name: "system", client: "ipc", isMailbox: true }, { to, body });
  }

  async read<T extends ReadType>(type: T, payload: PayloadFor<T>): Promise<AnswerTo<T>> {
    return await this.#log.read<T>({ type, payload, by: { client: "ipc" }, nowMs: this.#nowMs() });
  }
}
