import { rmSync } from "node:fs";
import { BoundSocket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type Log, logTail } from "../platform/log.ts";
import { Backoff } from "../protocol/backoff.ts";
import { WarrenError } from "../protocol/errors.ts";
import type { KeeperServer, ListenAddress, ServerSpec, ServerStartCall } from "../protocol/keeper-calls.ts";
import { quoteWord } from "../protocol/quote-word.ts";
import { type Exit, Generation } from "./generation.ts";

/**
 * Keeps one named server alive: owns its public socket from the first start to the end, and at most two generations, the serving one and, during a
 * switch, its successor.
 *
 * Invariants
 * 1. The socket is bound once; a generation that dies leaves connections waiting in the kernel's queue for the next one.
 * 2. At most one generation serves: the next is told `go` when the one before has exited, has said `free`, or is to overlap. `#run` serves one after the other.
 * 3. A generation that served and exits with status 0 was meant to end: the server is over. Any other end is followed by another start.
 * 4. After `STARTS_FAILED_MAX` failed starts in a row of one build the fallback takes its place, once; when that fails too, the server is over and
 *    every waiting caller is told why. A death by SIGKILL is nobody's bug: it delays, but does not count.
 */
const STARTS_FAILED_MAX = 3;
/** A generation that served for this long was a good one: failures are forgotten. */
const GOOD_AFTER_MS = 5_000;
/** Clients hang meanwhile. The later ones are for a build that is killed before it serves, again and again: for want of memory, mostly. */
const RESTART_DELAY = { firstMs: 20, maxMs: 5_000 };

export interface SupervisorOptions extends Omit<ServerStartCall, "call"> {
  env: NodeJS.ProcessEnv;
  log: Log;
  onEnd: () => void;
}

export class Supervisor {
  readonly socketPath: string;
  readonly #options: SupervisorOptions;
  readonly #socket: BoundSocket;
  readonly #address: ListenAddress | undefined;
  readonly #backoff = new Backoff(RESTART_DELAY);
  readonly #stopping = new AbortController();
  readonly #over: Promise<void>;
  #spec: ServerSpec;
  #fallback: ServerSpec | undefined;
  #fellBack: string | undefined;
  #state: KeeperServer["state"] = "starting";
  #current: Generation | undefined;
  /** Warm; serves when the current one has ended. */
  #successor: Generation | undefined;
  /** Told to end while their successor serves already. */
  readonly #overlapping = new Set<Generation>();
  #generationCount = 0;
  #failedStarts = 0;
  /** Resolved while it serves; rejected when it is over. */
  #served = Promise.withResolvers<void>();
  #switching: Promise<unknown> = Promise.resolve();

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#spec = options.spec;
    this.#fallback = options.fallback;
    this.socketPath = options.socketPath;
    rmSync(this.socketPath, { force: true }); // stale: the keeper's lock says that nobody of this home can be listening there
    this.#socket = new BoundSocket(options.listen ?? { path: this.socketPath });
    if (options.listen) this.#address = { ...options.listen, port: this.#socket.address().port };
    this.#served.promise.catch(() => {});
    this.#over = this.#run()
      .catch((error) => this.#served.reject(error))
      .then(() => this.#end());
  }

  get hash(): string {
    return this.#spec.hash;
  }

  get isEnding(): boolean {
    return this.#state === "ending";
  }

  /** The server once it serves. @throws SERVER_START_FAILED with the last lines of its log; SERVER_ENDING. */
  async whenReady(): Promise<KeeperServer> {
    await this.#served.promise;
    if (this.isEnding) throw this.#endingError();
    return this.describe();
  }

  describe(): KeeperServer {
    return {
      name: this.#spec.name,
      hash: this.#spec.hash,
      pid: this.#current?.pid ?? 0,
      generation: this.#current?.number ?? this.#generationCount,
      socketPath: this.socketPath,
      ...(this.#address === undefined ? {} : { address: this.#address }),
      state: this.#state,
      ...(this.#fellBack === undefined ? {} : { fellBack: this.#fellBack }),
    };
  }

  /** Puts a generation of `spec` in the place of the serving one; when it does not come up, the old one goes on untouched. */
  replace(spec: ServerSpec): Promise<KeeperServer> {
    const turn = this.#switching.catch(() => {}).then(() => this.#replace(spec));
    this.#switching = turn;
    return turn;
  }

  /** Ends the server for good. `force` kills. */
  async stop(force: boolean): Promise<{ stopped: true }> {
    this.#state = "ending";
    this.#stopping.abort();
    if (force) this.#current?.kill();
    for (const old of this.#overlapping) old.kill();
    await this.#current?.end();
    await this.#over;
    return { stopped: true };
  }

  async #replace(spec: ServerSpec): Promise<KeeperServer> {
    await this.#served.promise.catch(() => {});
    if (this.isEnding) return this.whenReady(); // says why
    this.#state = "replacing";
    const next = this.#spawn(spec);
    const isWarm = await next.says("warm");
    if (this.isEnding) {
      next.kill();
      throw this.#endingError();
    }
    if (!isWarm) {
      if (this.#state === "replacing") this.#state = "ready";
      const why = because(await next.exited);
      throw this.#startFailed(spec, `The new code (${spec.hash}) did not start${why}; ${spec.name} runs on as before.`);
    }
    if (this.#spec.hash !== spec.hash) this.#fallback = this.#spec;
    this.#spec = spec;
    this.#successor = next;
    this.#unserve();
    if (spec.overlapMs === undefined) await this.#current?.end();
    else if (this.#current) void this.#handOver(this.#current, spec.overlapMs);
    return this.whenReady();
  }

  /** `#run` goes on with the successor at once. */
  async #handOver(old: Generation, overlapMs: number): Promise<void> {
    this.#overlapping.add(old);
    old.replaced.resolve({ code: 0, signal: null });
    await old.end(overlapMs);
    this.#overlapping.delete(old);
  }

  /** One generation after the other, until the server is over. */
  async #run(): Promise<void> {
    while (!this.isEnding) {
      const generation = this.#successor ?? this.#spawn(this.#spec);
      this.#successor = undefined;
      this.#current = generation;
      const exit = await this.#serve(generation);
      const isMeant = (exit.code === 0 || generation.isLeaving) && generation.readyAtMs > 0;
      if (!this.#successor && !this.isEnding) {
        if (isMeant) return;
        await this.#recover(generation, exit);
      }
    }
  }

  async #serve(generation: Generation): Promise<Exit> {
    const facts = { name: this.#spec.name, pid: generation.pid, generation: generation.number };
    if (await generation.says("warm")) generation.go();
    if (await generation.says("ready")) {
      if (!this.isEnding) this.#state = "ready";
      this.#served.resolve();
      this.#options.log.info("server_ready", facts);
    }
    const exit = await Promise.race([generation.exited, generation.replaced.promise]);
    this.#options.log.info("server_exited", { ...facts, ...exit });
    this.#unserve();
    return exit;
  }

  /** Who asks from now on waits for the next generation. */
  #unserve(): void {
    if (this.#state === "starting" || this.isEnding) return;
    this.#state = "starting";
    this.#served = Promise.withResolvers<void>();
    this.#served.promise.catch(() => {});
  }

  /** Returns when the next start is due. @throws SERVER_START_FAILED when there shall be none */
  async #recover({ readyAtMs, isLate }: Generation, exit: Exit): Promise<void> {
    if (readyAtMs > 0) this.#backoff.reset();
    if (readyAtMs > 0 && performance.now() - readyAtMs >= GOOD_AFTER_MS) {
      this.#failedStarts = 0;
      return;
    }
    if (exit.signal !== "SIGKILL" || isLate) this.#failedStarts += 1;
    if (this.#failedStarts >= STARTS_FAILED_MAX) return this.#fallBack(exit);
    await delay(this.#backoff.nextMs(), undefined, { signal: this.#stopping.signal }).catch(() => {});
  }

  #fallBack(exit: Exit): void {
    const { name, hash, logPath } = this.#spec;
    const why = because(exit);
    const failure = this.#startFailed(this.#spec, `The server ${name} (${hash}) failed to start three times${why}.`);
    this.#options.log.error("server_failed", { name, hash });
    if (!this.#fallback || this.#fallback.hash === hash) throw failure; // a later start is a new try
    this.#fellBack = failure.message;
    this.#spec = { ...this.#fallback, name, logPath };
    this.#fallback = undefined;
    this.#failedStarts = 0;
  }

  #spawn(spec: ServerSpec): Generation {
    this.#generationCount += 1;
    return new Generation(spec, this.#generationCount, this.#socket.fd(), this.#options.env);
  }

  #startFailed({ logPath }: ServerSpec, sentence: string): WarrenError {
    return new WarrenError("SERVER_START_FAILED", sentence, {
      fix: `tail ${quoteWord(logPath)}`,
      detail: { log: logPath, lines: logTail(logPath) },
    });
  }

  #endingError(): WarrenError {
    return new WarrenError("SERVER_ENDING", `The server ${this.#spec.name} is ending.`);
  }

  /** Nobody is left waiting in the queue of a socket that nobody will read. */
  #end(): void {
    this.#state = "ending";
    this.#current = undefined;
    this.#successor?.kill();
    this.#served.reject(this.#endingError());
    this.#socket.close();
    rmSync(this.socketPath, { force: true });
    this.#options.onEnd();
  }
}

const because = ({ error }: Exit): string => (error === undefined ? "" : ` (${error})`);
