import { on, once } from "node:events";
import { writeFileSync } from "node:fs";
import net from "node:net";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { makeDirectories } from "../../platform/directories.ts";
import type { Places } from "../../platform/paths.ts";

/** What a hook has asked in somebody's name. */
export interface Asked {
  as: string;
  answer(data: object): void;
  refuse(code: string): void;
}

/** In the place of the mailbox's leader: it answers what its test says, and nothing else. */
export class AskedLeader implements Disposable {
  readonly #server: net.Server;
  readonly #asked: AsyncIterator<[Asked]>;

  static async listen(places: Places): Promise<AskedLeader> {
    for (const file of [places.mailSocket, places.mailLeaderFile]) makeDirectories(dirname(file), 0o700);
    writeFileSync(places.mailLeaderFile, "{}");
    const server = net.createServer((socket) => {
      socket.on("error", () => {});
      createInterface(socket).on("line", (line) => {
        const { id, payload } = JSON.parse(line) as { id: number; payload: { as?: string } };
        const say = (said: object): void => void socket.write(`${JSON.stringify({ id, ...said })}\n`);
        const { as } = payload;
        if (as === undefined) return;
        const asked: Asked = {
          as,
          answer: (data) => say({ success: true, data }),
          refuse: (code) => say({ success: false, code, error: code }),
        };
        server.emit("asked", asked);
      });
    });
    const leader = new AskedLeader(server);
    server.listen(places.mailSocket);
    await once(server, "listening");
    return leader;
  }

  private constructor(server: net.Server) {
    this.#server = server;
    this.#asked = on(server, "asked") as AsyncIterator<[Asked]>;
  }

  async next(): Promise<Asked> {
    return (await this.#asked.next()).value[0];
  }

  [Symbol.dispose](): void {
    this.#server.close();
  }
}
