import { join } from "node:path";
import type { DebugAnswers, DebugLogEntry, DebugRequest, Fault } from "../../src/protocol/debug.ts";
import { debugSocketName } from "../../src/protocol/debug.ts";
import { readEntries } from "../../src/registry/entries.ts";
import type { TemporaryHome } from "./home.ts";
import { type Message, RawConnection } from "./raw-connection.ts";

/** A test's look into a server: what it does, event by event, and the faults that it is to commit (in a home with `FAULTS`). */
export class DebugView implements Disposable {
  readonly raw: RawConnection;

  private constructor(raw: RawConnection) {
    this.raw = raw;
  }

  /** Of that server, or of the primary. */
  static async open(house: TemporaryHome, server?: string): Promise<DebugView> {
    const entries = readEntries(house.places.serversDir);
    const entry = server === undefined ? entries[0] : entries.find(({ name }) => name === server);
    const name = entry?.name ?? server;
    if (name === undefined) throw new Error("no server has announced itself");
    return new DebugView(await RawConnection.open(join(house.places.socketDir, debugSocketName(name))));
  }

  async ask<T extends DebugRequest["type"]>(request: Extract<DebugRequest, { type: T }>): Promise<DebugAnswers[T]> {
    const { type, ...rest } = request;
    const { success, data, code, error } = await this.raw.ask(type, undefined, rest);
    if (!success) throw new Error(`${code}: ${error}`);
    return data as unknown as DebugAnswers[T];
  }

  async commit(fault: Fault): Promise<void> {
    await this.ask({ type: "fault", action: "set", fault });
  }

  /** As `commit`; what it returns resolves once the fault has struck, also when that was the server's end. */
  async commitOnce(fault: Fault): Promise<{ struck: Promise<unknown> }> {
    await this.ask({ type: "log", follow: true });
    await this.commit(fault);
    const struck = this.raw.next(({ event, data }) => event === "log" && data?.event === `${fault.name} struck`);
    struck.catch(() => {}); // looked at later
    return { struck };
  }

  /** The first event, remembered or to come, that is meant. */
  async logged(isMeant: (entry: DebugLogEntry) => boolean): Promise<DebugLogEntry> {
    const { entries } = await this.ask({ type: "log", follow: true });
    const found = entries.find(isMeant);
    if (found) return found;
    const isIt = ({ event, data }: Message): boolean => event === "log" && isMeant(data as unknown as DebugLogEntry);
    return (await this.raw.next(isIt)).data as unknown as DebugLogEntry;
  }

  [Symbol.dispose](): void {
    this.raw[Symbol.dispose]();
  }
}

/** For the environment of a home whose servers may be told to commit faults. */
export const FAULTS = { WARREN_FAULTS: "1" };
