import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { DeployHost } from "../config/gateway/deployment.ts";
import { fromWire, systemCode, type WarrenError } from "../protocol/errors.ts";
import { connectionLost, hostUnreachable, programMissing, warrenMissingThere, warrenTooOld } from "./errors.ts";
import { LineInbox } from "./line-inbox.ts";
import { ALIVE_EVERY_MS, DEPLOY_FORMAT, type FromHost, type ToHost } from "./messages.ts";
import { lastLine, tailOf } from "./run-program.ts";
import { shellCommand } from "./shell-words.ts";
import { sshDestination, sshWords } from "./ssh.ts";

/** `warren receive` on a host, at the other end of an ssh: held for as long as the deploy takes, as its lock is. */
export interface HostLinkOptions {
  host: DeployHost;
  by: string;
  isInteractive: boolean;
  env: NodeJS.ProcessEnv;
}

type Of<T extends FromHost["type"]> = Extract<FromHost, { type: T }>;

/** ssh(1): its own errors. */
const SSH_FAILED = 255;
/** sh(1). */
const COMMAND_NOT_FOUND = 127;
/** From the end of our words to the end of ssh. */
const END_MAX_MS = 5_000;
/** What a host says before our command does: a greeting in some profile. */
const NOISE_LINES_MAX = 5;

export class HostLink implements AsyncDisposable {
  readonly #host: DeployHost;
  readonly #child: ChildProcess;
  readonly #inbox: LineInbox<FromHost>;
  readonly #stderr: () => string;
  readonly #noise: string[] = [];
  readonly #ended: Promise<number | null>;
  readonly #alive: NodeJS.Timeout;
  #startError: unknown;
  #isReady = false;
  #isSwitching = false;

  constructor({ host, by, isInteractive, env }: HostLinkOptions) {
    this.#host = host;
    const [program = "", ...words] = sshWords({ host, isInteractive });
    const command = shellCommand([...host.warren, "receive", host.path, "--by", by]);
    this.#child = spawn(program, [...words, "--", sshDestination(host), command], { env, stdio: "pipe" });
    this.#stderr = tailOf(this.#child, "stderr");
    this.#child.on("error", (error) => {
      this.#startError = error;
    });
    this.#child.stdin!.on("error", () => {}); // its end is seen at the other stream
    this.#inbox = new LineInbox({ stream: this.#child.stdout!, onOther: (line) => this.#hear(line) });
    this.#ended = once(this.#child, "close").then(
      ([status]) => status as number | null,
      () => null,
    );
    this.#alive = setInterval(() => this.say({ type: "alive" }), ALIVE_EVERY_MS);
  }

  get isSwitching(): boolean {
    return this.#isSwitching;
  }

  say(message: ToHost): void {
    if (message.type === "switch") this.#isSwitching = true;
    if (this.#child.stdin!.writable) this.#child.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  /** Nothing more is said: before `switch` the host gives up, after it it ends by itself. */
  end(): void {
    clearInterval(this.#alive);
    this.#child.stdin!.end();
  }

  /** The next message, which has to be this one. @throws what the host has refused; HOST_UNREACHABLE, WARREN_NOT_THERE, DEPLOY_CONNECTION_LOST */
  async expect<T extends FromHost["type"]>(type: T): Promise<Of<T>> {
    const message = await this.#inbox.next();
    if (message?.type === "refused") throw fromWire(message);
    if (message?.type === "ready" && message.format !== DEPLOY_FORMAT) throw warrenTooOld(this.#host);
    if (message?.type !== type) throw await this.#whyLost();
    if (type === "ready") this.#isReady = true;
    return message as Of<T>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
    const timer = setTimeout(() => this.#child.kill("SIGTERM"), END_MAX_MS);
    await this.#ended;
    clearTimeout(timer);
    this.#inbox.close();
  }

  async #whyLost(): Promise<WarrenError> {
    this.end();
    const status = await this.#ended;
    const said = lastLine(this.#stderr()) || lastLine(this.#noise.join("\n"));
    if (systemCode(this.#startError) === "ENOENT") return programMissing("ssh");
    if (this.#isReady) return connectionLost(this.#host, this.#isSwitching, said);
    const isMissing = /: (command )?not found$|No such file or directory$/.test(said) && status !== SSH_FAILED;
    if (status === COMMAND_NOT_FOUND || isMissing) return warrenMissingThere(this.#host);
    if (status === 2 && /receive/.test(this.#stderr())) return warrenTooOld(this.#host);
    return hostUnreachable(this.#host, status === SSH_FAILED || said !== "" ? said : `it ended with status ${status}`);
  }

  #hear(line: string): void {
    this.#noise.push(line);
    if (this.#noise.length > NOISE_LINES_MAX) this.#noise.shift();
  }
}
