import { join } from "node:path";
import { logIn } from "../../src/hub/testing/hub-talk.ts";
import type { HubStatus } from "../../src/protocol/hub-control.ts";
import type { SigningKey } from "../../src/sealing/crypto.ts";
import type { Role } from "../../src/sealing/login.ts";
import { webCrypto } from "../../src/sealing/webcrypto.ts";
import { type HomeOptions, type TemporaryHome, temporaryHome } from "./home.ts";
import { type HubFacts, type HubProcessOptions, startHub } from "./hub-process.ts";
import { type HubSocket, hubSocket } from "./hub-socket.ts";
import type { Running } from "./warren.ts";

/** `warren hub` in a home of its own, which can be killed and started again, and members of it that speak frame by frame. */
const crypto = webCrypto();

export interface Entered extends HubSocket {
  missed: Awaited<ReturnType<typeof logIn>>;
}

export interface LoginOptions {
  cursor?: number;
  invitation?: Uint8Array;
}

export class HubHouse implements AsyncDisposable {
  readonly house: TemporaryHome;
  running!: Running;
  facts!: HubFacts;
  readonly #args: readonly string[];
  readonly #deadlineMs: number | undefined;

  static async open({
    args = [],
    deadlineMs,
    ...options
  }: HomeOptions & Pick<HubProcessOptions, "args" | "deadlineMs"> = {}): Promise<HubHouse> {
    const hub = new HubHouse(temporaryHome(options), args, deadlineMs);
    await hub.start();
    return hub;
  }

  private constructor(house: TemporaryHome, args: readonly string[], deadlineMs: number | undefined) {
    this.house = house;
    this.#args = args;
    this.#deadlineMs = deadlineMs;
  }

  /** On the port that it had. */
  async start(): Promise<void> {
    const args = ["--open", ...this.#args];
    const options = { port: this.facts?.port ?? 0, args, deadlineMs: this.#deadlineMs };
    ({ running: this.running, facts: this.facts } = await startHub(this.house, options));
  }

  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.running.child.kill(signal);
    await this.running.ended;
  }

  get address(): string {
    return `http://127.0.0.1:${this.facts.port}`;
  }

  get database(): string {
    return join(this.house.places.hubDir, "hub.db");
  }

  async status(): Promise<HubStatus> {
    const { stdout } = await this.house.warren(["hub", "status", "--json"]);
    return JSON.parse(stdout) as HubStatus;
  }

  connect(host = "127.0.0.1"): Promise<HubSocket> {
    return hubSocket(`http://${host}:${this.facts.port}`);
  }

  enter(role: Role, key: SigningKey, more: LoginOptions & { host?: string } = {}): Promise<Entered> {
    const { host, ...login } = more;
    return enterHub(this.facts, role, key, login, host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.running.child.kill("SIGKILL");
    await this.house[Symbol.asyncDispose]();
  }
}

/** Connects to a hub, and logs in. */
export async function enterHub(
  { port, key: hubKey }: Pick<HubStatus, "port" | "key">,
  role: Role,
  key: SigningKey,
  more: LoginOptions = {},
  host = "127.0.0.1",
): Promise<Entered> {
  const { talk, socket } = await hubSocket(`http://${host}:${port}`);
  const login = { crypto, hubKey: Buffer.from(hubKey, "hex"), key, role, isNew: true, ...more };
  return { talk, socket, missed: await logIn(talk, login) };
}
