import { rmSync } from "node:fs";
import net, { type Socket } from "node:net";
import { join } from "node:path";
import { writeFileAtomic } from "../platform/atomic-file.ts";
import type { Log } from "../platform/log.ts";
import type { Places } from "../platform/paths.ts";
import { messageOf, toWire, WarrenError } from "../protocol/errors.ts";
import type { HubCall, HubCalls } from "../protocol/hub-control.ts";
import { LineSplitter } from "../protocol/lines.ts";

/**
 * The owner's side: a unix socket that only the hub's user can open, one question for each connection. Who can write there owns the hub already.
 */
export type HubAnswers = {
  [Call in HubCall]: (
    request: HubCalls[Call]["request"],
  ) => HubCalls[Call]["answer"] | Promise<HubCalls[Call]["answer"]>;
};

const QUESTION_BYTES_MAX = 64 * 1024;
const QUESTION_MS = 10_000;

export class HubControl {
  readonly #server: net.Server;
  readonly #answers: HubAnswers;
  readonly #log: Log;

  constructor(answers: HubAnswers, log: Log) {
    this.#answers = answers;
    this.#log = log;
    this.#server = net.createServer((socket) => this.#serve(socket));
  }

  /** The lock on the home is held, so a socket that lies there is a dead hub's. */
  listen({ hubSocket, hubDir }: Places): Promise<void> {
    rmSync(hubSocket, { force: true });
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(hubSocket, () => {
        this.#server.off("error", reject);
        const entry = { format: 1, socket: hubSocket, pid: process.pid };
        writeFileAtomic(join(hubDir, "hub.json"), `${JSON.stringify(entry)}\n`);
        resolve();
      });
    });
  }

  close(): void {
    this.#server.close();
  }

  #serve(socket: Socket): void {
    const splitter = new LineSplitter(QUESTION_BYTES_MAX);
    let isAsked = false;
    socket.setTimeout(QUESTION_MS, () => socket.destroy());
    socket.on("error", () => {}); // a close follows
    socket.on("data", (chunk: Buffer) => {
      try {
        const [line] = isAsked ? [] : splitter.push(chunk);
        if (line === undefined) return;
        isAsked = true;
        void this.#answer(line).then((answer) => socket.end(`${JSON.stringify(answer)}\n`));
      } catch {
        socket.destroy(); // a line without end
      }
    });
  }

  async #answer(line: string): Promise<object> {
    try {
      const { call, ...request } = JSON.parse(line) as { call?: unknown };
      const answer = Object.hasOwn(this.#answers, String(call)) ? this.#answers[call as HubCall] : undefined;
      if (!answer) throw new WarrenError("UNKNOWN_CALL", `The hub knows no call ${JSON.stringify(call)}.`);
      return await (answer as (request: object) => Promise<object>)(request);
    } catch (error) {
      this.#log.warn("control_refused", { error: messageOf(error) });
      return toWire(error, "INTERNAL");
    }
  }
}
