import { rmSync } from "node:fs";
import { BoundSocket } from "node:net";
import { Backoff } from "../platform/backoff.ts";
import { type Log, logTail } from "../platform/log.ts";
import { assert, WarrenError } from "../protocol/errors.ts";
import type { KeeperServer, ServerSpec } from "../protocol/keeper-calls.ts";
import { type Exit, Generation } from "./generation.ts";

/**
 * Keeps one named server alive: owns its public socket from the first start to the end, and at most two generations, the serving one and, during a
 * switch, its successor.
 *
 * Invariants
 * 1. The socket is bound once; a generation that dies leaves connections waiting in the kernel's queue for the next one.
 * 2. At most one generation has been told `go` and not yet exited.
 * 3. A generation that exits with status 0 was meant to end: the server is over. Any other end is followed by another start.
 * 4. After `STARTS_FAILED_MAX` failed starts in a row of one build the fallback takes its place, once; when that fails too, the server is over and
 *    every waiting caller is told why. A death by SIGKILL is nobody's bug: it delays, but does not count.
 */
const STARTS_FAILED_MAX = 3;
/** A generation that served for this long was a good one: failures are forgotten. */
const GOOD_AFTER_MS = 5_000;
/** A start that says nothing for this long has failed. */
const START_TIMEOUT_MS = 20_000;
/** Somebody who kills a server again and again (a test, the OOM killer) is not made to wait for longer: clients hang meanwhile. */
const KILLED_DELAY_MAX_MS = 100;
/** An old generation that does not end after `drain` is killed: its state is on disk. */
const DRAIN_TIMEOUT_MS = 5_000;

export interface SupervisorOptions {
  spec: ServerSpec;
  socketPath: string;
  fallback?: ServerSpec;
  env: NodeJS.ProcessEnv;
  log: Log;
  onEnd: () => void;
}

export class Supervisor {
  readonly socketPath: string;
  #spec: ServerSpec;
  #fallback: ServerSpec | undefined;
  #fellBack: string | undefined;
  readonly #env: NodeJS.ProcessEnv;
  readonly #log: Log;
  readonly #onEnd: () => void;
  readonly #socket: BoundSocket;
  readonly #backoff = new Backoff({ firstMs: 20, maxMs: 2_000 });
  #state: KeeperServer["state"] = "starting";
  #current: Generation | undefined;
  #generationCount = 0;
  #failedStarts = 0;
  #settled = Promise.withResolvers<void>();
  #switching: Promise<unknown> = Promise.resolve();

  constructor({ spec, socketPath, fallback, env, log, onEnd }: SupervisorOptions) {
    this.#spec = spec;
    this.#fallback = fallback;
    this.socketPath = socketPath;
    this.#env = env;
    this.#log = log;
    this.#onEnd = onEnd;
    rmSync(socketPath, { force: true }); // stale: the keeper's lock says that nobody of this home can be listening there
    this.#socket = new BoundSocket({ path: socketPath });
    this.#settled.promise.catch(() => {});
    void this.#startCurrent();
  }

  get hash(): string {
    return this.#spec.hash;
  }

  /** The server once it serves. @throws SERVER_START_FAILED with the last lines of its log; SERVER_ENDING. */
  async whenReady(): Promise<KeeperServer> {
    await this.#settled.promise;
    if (this.#state === "ending") throw this.#endingError();
    return this.describe();
  }

  describe(): KeeperServer {
    return {
      name: this.#spec.name,
      hash: this.#spec.hash,
      pid: this.#current?.pid ?? 0,
      generation: this.#current?.number ?? this.#generationCount,
      socketPath: this.socketPath,
      state: this.#state,
      ...(this.#fellBack === undefined ? {} : { fellBack: this.#fellBack }),
    };
  }

  /** Puts a generation of `spec` in the place of the serving one; when it does not come up, the old one goes on untouched. */
  replace(spec: ServerSpec): Promise<KeeperServer> {
    const turn = this.#switching.then(
      () => this.#replace(spec),
      () => this.#replace(spec),
    );
    this.#switching = turn;
    return turn;
  }

  /** Ends the server for good. `force` kills. */
  async stop(force: boolean): Promise<void> {
    const current = this.#current;
    if (this.#state === "ending" && !current) return; // it has ended
    this.#state = "ending";
    if (!current || current.hasExited) return this.#end(); // none runs; the next start, if one was planned, is off
    if (force) current.kill("SIGKILL");
    else this.#drain(current);
    await current.exited;
  }

  async #replace(spec: ServerSpec): Promise<KeeperServer> {
    await this.#settled.promise.catch(() => {});
    const old = this.#current;
    if (!old) return this.whenReady(); // over: says why
    if (this.#state === "ending") throw this.#endingError();
    this.#state = "replacing";
    const next = this.#spawn(spec);
    const isWarm = await this.#within(next, next.warm);
    if (!isWarm || this.#state !== "replacing") next.kill("SIGKILL");
    if (this.#state !== "replacing") throw this.#endingError();
    if (!isWarm) {
      this.#state = old.hasExited ? "starting" : "ready";
      if (old.hasExited) void this.#startCurrent();
      throw this.#startFailed(spec, `The new code (${spec.hash}) did not start; ${spec.name} runs on as before.`);
    }
    const previous = this.#spec;
    this.#state = "starting";
    this.#current = next;
    this.#spec = spec;
    if (previous.hash !== spec.hash) this.#fallback = previous;
    this.#settled = Promise.withResolvers<void>();
    this.#settled.promise.catch(() => {});
    this.#drain(old);
    await old.exited;
    await this.#serve(next);
    return this.whenReady();
  }

  #spawn(spec: ServerSpec): Generation {
    this.#generationCount += 1;
    const fd = this.#socket.fd();
    assert(fd >= 0, "the public socket has a descriptor");
    return new Generation(spec, this.#generationCount, fd, this.#env);
  }

  async #startCurrent(): Promise<void> {
    if (this.#state !== "starting") return; // ended while a start was planned
    const generation = this.#spawn(this.#spec);
    this.#current = generation;
    if (!(await this.#within(generation, generation.warm))) generation.giveUp();
    await this.#serve(generation);
  }

  /** Tells a warm generation to take over, and watches it to its end. */
  async #serve(generation: Generation): Promise<void> {
    void generation.exited.then((exit) => this.#onExit(generation, exit));
    generation.tell("go");
    if (await this.#within(generation, generation.ready)) {
      if (this.#current !== generation) return;
      this.#state = "ready";
      this.#settled.resolve();
      this.#log.info("server_ready", { name: this.#spec.name, pid: generation.pid, generation: generation.number });
    } else generation.giveUp();
  }

  #onExit(generation: Generation, exit: Exit): void {
    if (this.#current !== generation) return; // the predecessor of a switch
    this.#log.info("server_exited", { name: this.#spec.name, pid: generation.pid, ...exit });
    const meant = (exit.code === 0 && generation.readyAtMs > 0) || this.#state === "ending";
    if (meant) return this.#end();
    if (this.#state === "replacing") return; // its successor is on its way already (invariant 2)
    const servedMs = generation.readyAtMs > 0 ? performance.now() - generation.readyAtMs : 0;
    const isKilled = exit.signal === "SIGKILL" && !generation.isLate;
    if (servedMs >= GOOD_AFTER_MS) {
      this.#failedStarts = 0;
      this.#backoff.reset();
    } else if (!isKilled) this.#failedStarts += 1;
    if (generation.readyAtMs > 0) {
      this.#settled = Promise.withResolvers<void>();
      this.#settled.promise.catch(() => {});
    }
    this.#state = "starting";
    if (this.#failedStarts >= STARTS_FAILED_MAX) return this.#fallBackOrFail();
    const delayMaxMs = this.#backoff.attempt === 0 ? 0 : isKilled ? KILLED_DELAY_MAX_MS : Number.POSITIVE_INFINITY;
    const delayMs = Math.min(this.#backoff.nextMs(), delayMaxMs);
    setTimeout(() => void this.#startCurrent(), delayMs);
  }

  #fallBackOrFail(): void {
    const failure = this.#startFailed(
      this.#spec,
      `The server ${this.#spec.name} (${this.#spec.hash}) failed to start three times.`,
    );
    this.#log.error("server_failed", { name: this.#spec.name, hash: this.#spec.hash });
    const fallback = this.#fallback;
    this.#fallback = undefined;
    if (fallback && fallback.hash !== this.#spec.hash) {
      this.#fellBack = failure.message;
      this.#spec = { ...fallback, name: this.#spec.name, logPath: this.#spec.logPath };
      this.#failedStarts = 0;
      void this.#startCurrent();
      return;
    }
    this.#settled.reject(failure);
    this.#end(); // nobody is left waiting in the queue of a socket that nobody will read; the next start is a new try
  }

  #drain(generation: Generation): void {
    generation.tell("drain");
    const timer = setTimeout(() => generation.kill("SIGKILL"), DRAIN_TIMEOUT_MS);
    void generation.exited.then(() => clearTimeout(timer));
  }

  async #within(generation: Generation, step: Promise<boolean>): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), START_TIMEOUT_MS);
    });
    try {
      return await Promise.race([step, late]);
    } finally {
      clearTimeout(timer);
      if (generation.hasExited) await generation.exited;
    }
  }

  #startFailed(spec: ServerSpec, sentence: string): WarrenError {
    return new WarrenError("SERVER_START_FAILED", sentence, {
      fix: `tail ${spec.logPath}`,
      detail: { log: spec.logPath, lines: logTail(spec.logPath) },
    });
  }

  #endingError(): WarrenError {
    return new WarrenError("SERVER_ENDING", `The server ${this.#spec.name} is ending.`);
  }

  #end(): void {
    this.#state = "ending";
    this.#current = undefined;
    this.#settled.reject(this.#endingError());
    this.#socket.close();
    rmSync(this.socketPath, { force: true });
    this.#onEnd();
  }
}
