import { rmSync } from "node:fs";
import { join } from "node:path";
import { readTextIfExists, writeFileAtomic } from "../../platform/atomic-file.ts";
import { messageOf, WarrenError } from "../../protocol/errors.ts";
import { quoteWord } from "../../protocol/quote-word.ts";

/** <home>/mail/machines.json: where this machine meets the others, with what is secret of it; for its user alone (mode 0600). */
export interface Membership {
  url: string;
  machine: string;
  creds?: string | undefined;
  ca?: string | undefined;
}

export class MachinesFile {
  readonly #path: string;

  constructor(mailDir: string) {
    this.#path = join(mailDir, "machines.json");
  }

  /** Undefined: it has joined none. @throws MACHINES_FILE_DAMAGED */
  read(): Membership | undefined {
    const text = readTextIfExists(this.#path);
    if (text === undefined) return undefined;
    try {
      const { url, machine, creds, ca } = JSON.parse(text) as Record<string, unknown>;
      if (typeof url !== "string" || typeof machine !== "string") throw new Error("it lacks url or machine");
      return {
        url,
        machine,
        ...(typeof creds === "string" ? { creds } : {}),
        ...(typeof ca === "string" ? { ca } : {}),
      };
    } catch (error) {
      throw new WarrenError("MACHINES_FILE_DAMAGED", `${this.#path} cannot be read: ${messageOf(error)}.`, {
        fix: `rm ${quoteWord(this.#path)} && warren mail join nats://HOST:4222`,
        cause: error,
      });
    }
  }

  write(membership: Membership): void {
    writeFileAtomic(this.#path, `${JSON.stringify({ format: 1, ...membership })}\n`);
  }

  remove(): void {
    rmSync(this.#path, { force: true });
  }
}
