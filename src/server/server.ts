import { spawn } from "node:child_process";
import net from "node:net";
import { join } from "node:path";
import type { HomeConfig } from "../config/home-defaults.ts";
import { lookForSession } from "../local/find-session.ts";
import type { Build } from "../platform/build.ts";
import { systemClock } from "../platform/clock.ts";
import { tryLock } from "../platform/lock.ts";
import type { Log } from "../platform/log.ts";
import type { Places } from "../platform/paths.ts";
import { messageOf } from "../protocol/errors.ts";
import { markGood, rememberName } from "../registry/builds.ts";
import { announce, withdraw } from "../registry/entries.ts";
import { SessionPorts } from "../registry/session-ports.ts";
import { type EventSource, type RoutedEvent, Subscriptions } from "../serving/subscriptions.ts";
import * as sessionErrors from "../sessions/errors.ts";
import { Sessions } from "../sessions/sessions.ts";
import { Connection } from "./connection.ts";
import { conversationSource, conversationStream, routedConversation } from "./conversation-stream.ts";
import { ConnectionMeter } from "./debug/connection-meter.ts";
import { Debug } from "./debug/debug.ts";
import { Description } from "./description.ts";
import { Dispatcher } from "./dispatcher.ts";
import { gatewaySource } from "./gateway-stream.ts";
import { sayGoodbye } from "./goodbye.ts";
import type { ServerFacts } from "./handlers.ts";
import { keepHouseLater } from "./housekeeping.ts";
import { Idleness } from "./idleness.ts";
import { jobsSource } from "./jobs-stream.ts";
import { KeeperLink } from "./keeper-link.ts";
import { ServerMail } from "./mail.ts";
import { MailForward } from "./mail-forward.ts";
import { mailSessions } from "./mail-sessions.ts";
import { mailIsUsed } from "./mail-use.ts";
import { MailWay } from "./mail-way.ts";
import { ownEnvironment } from "./own-environment.ts";
import { askServer } from "./peer.ts";
import { becomePrimary, livePrimary } from "./primary.ts";
import { PrimaryParts } from "./primary-parts.ts";
import { SessionUsage } from "./session-usage.ts";
import { SessionsStream } from "./sessions-stream.ts";

/**
 * One generation of a named server: the only place that constructs the domains. It may be killed at any moment; what it must not lose is on disk.
 *
 * Life: `start` (take over, adopt, serve) → serving → `end` (drain, let go, leave the registry). `end` happens once, whoever asks for it.
 */
export interface ServerOptions {
  places: Places;
  /** Its own: what it starts gets it. */
  env: NodeJS.ProcessEnv;
  build: Build;
  name: string;
  generation: number;
  config: HomeConfig;
  log: Log;
  lastError: () => { at: string; message: string } | null;
  /** After `end`: the process may go. `isOver`: the server's, not only the generation's. */
  onEnded: (isOver: boolean) => void;
  /** It is over, and will say so in the registry: if it is killed from now on, no generation follows. */
  onLeaving: () => void;
  /** The next generation may go: nothing is held any more, and this process ends within moments. */
  onFree: () => void;
  /** It may be told to commit faults: for tests. */
  allowsFaults: boolean;
}

const LISTEN_FD = 3;
/** What is being changed is finished within this time when the server is replaced; the rest is repeated by its clients at the next one. */
const DRAIN_MS = 1_000;
/** A server that is not the primary and holds nothing goes after this long without clients. */
const RETIRE_AFTER_MS = 10_000;
/** By then the control line has said so, if the keeper has gone: then a successor is started in another way. */
const KEEPER_LOSS_TOLD_MS = 1_000;

export class Server {
  readonly #options: ServerOptions;
  readonly #connections = new Set<Connection>();
  readonly #listener: net.Server;
  readonly #subscriptions: Subscriptions;
  readonly #dispatcher: Dispatcher;
  readonly #sessions: Sessions;
  readonly #keeper: KeeperLink;
  readonly #primary: PrimaryParts;
  readonly #mail: ServerMail;
  readonly #mailForward: MailForward;
  readonly #usage = new SessionUsage(systemClock);
  readonly #debug: Debug;
  readonly #description: Description;
  readonly #over = new AbortController();
  readonly #idleness = new Idleness({
    isNeeded: () => this.#connections.size > 0 || this.#sessions.liveCount > 0 || !this.#primary.isIdle,
    limitMs: () => (this.#primary.isHeld ? this.#options.config.server.idleMs : RETIRE_AFTER_MS),
    onUnneeded: () => void this.end({ leave: true }),
    signal: this.#over.signal,
  });
  #isServing = false;
  #ending: Promise<void> | undefined;
  #claiming: Promise<void> | undefined;
  #connectionCount = 0;

  constructor(given: ServerOptions) {
    this.#debug = new Debug({
      server: given.name,
      socketDir: given.places.socketDir,
      log: given.log,
      allowsFaults: given.allowsFaults,
      onPauseReads: (isPaused) => {
        for (const connection of this.#connections) connection.hold(isPaused);
      },
    });
    const options = { ...given, log: this.#debug.log };
    this.#options = options;
    const sources: Record<string, EventSource> = {
      jobs: jobsSource(() => this.#primary.jobs),
      gateway: gatewaySource(() => this.#primary.gateways),
      sessions: new SessionsStream({
        sessions: () => this.#sessions.views(),
        watch: (listener) => this.#sessions.watch(listener),
        serversDir: options.places.serversDir,
        publish: (event) => this.#publish(event),
      }),
    };
    this.#subscriptions = new Subscriptions({
      get: (stream) =>
        stream === "remote"
          ? this.#primary.remote?.source
          : (sources[stream] ?? conversationSource(stream, this.#sessions.agents)),
    });
    const { places, name, log, build } = options;
    this.#keeper = new KeeperLink(places, () => this.#goOnAnew());
    this.#primary = new PrimaryParts({ ...options, keeper: this.#keeper, publish: (event) => this.#publish(event) });
    this.#sessions = new Sessions({
      sessionsDir: places.sessionsDir,
      ports: new SessionPorts({
        dir: join(places.sessionsDir, ".ports"), // goes with the sessions
        lockPath: join(places.locksDir, "session-ports.lock"),
        ...options.config.sessions.ports,
      }),
      server: name,
      keeper: this.#keeper,
      clock: systemClock,
      log,
      version: build.version,
      env: options.env,
      onMembers: () => this.#announce(),
      onMoved: (id) => this.#subscriptions.close(conversationStream(id)),
      onConversation: (session, event) => this.#publish(routedConversation(session, event)),
      askServer: (server, type, payload) => askServer(places, server, type, payload),
    });
    const way = new MailWay(options);
    this.#mail = new ServerMail({
      name,
      sessions: mailSessions(this.#sessions),
      join: (states) => way.ofServer(states),
      isLive: (unit) => lookForSession(places, unit) !== undefined,
      clock: systemClock,
      log,
    });
    this.#mailForward = new MailForward({ open: (given) => way.ofClient(given), isUsed: () => this.#mail.isUsed });
    this.#description = new Description({
      ...options,
      debugSocket: this.#debug.path,
      connections: this.#connections,
      subscriptions: this.#subscriptions,
      sessions: this.#sessions,
      primary: this.#primary,
    });
    const facts = this.#facts();
    this.#dispatcher = new Dispatcher({
      subscriptions: this.#subscriptions,
      forward: this.#mailForward,
      remote: () => this.#primary.remote,
      own: ownEnvironment(options.env),
      log: options.log,
      faults: this.#debug.faults,
      context: () => ({
        jobs: this.#primary.jobs,
        gateways: this.#primary.gateways,
        sessions: this.#sessions,
        server: facts,
        mail: this.#mail,
        usage: this.#usage,
      }),
    });
    this.#listener = net.createServer((socket) => this.#accept(socket));
  }

  /** Takes over and serves. Rejects when it cannot (a state from a newer Warren, a full disk). */
  async start(): Promise<void> {
    const { places, build, name, log } = this.#options;
    this.#listenForDebug();
    this.#debug.enter("starting", "the server that has the jobs, to let go of them");
    const lock = await becomePrimary(places, build, name);
    this.#debug.enter("starting", "the jobs, to be taken up");
    if (lock) await this.#primary.open(lock);
    this.#debug.enter("starting", "the sessions, to be taken up");
    await this.#sessions.start();
    await new Promise<void>((resolve, reject) =>
      this.#listener.once("error", reject).listen({ fd: LISTEN_FD }, resolve),
    );
    this.#debug.enter("serving");
    this.#isServing = true;
    this.#writeDown();
    this.#idleness.start();
    keepHouseLater({ places, build, clock: systemClock, log, signal: this.#over.signal });
    void mailIsUsed(places.mailDir, this.#over.signal).then(() => this.#mail.begin());
    log.info("serving", { name, pid: process.pid, primary: this.#primary.isHeld });
  }

  /** `leave`: the server is over, its entry goes. Otherwise a successor of the same name takes its place. */
  end({ leave }: { leave: boolean }): Promise<void> {
    this.#ending ??= this.#end(leave);
    return this.#ending;
  }

  /** SIGTERM: with live sessions the keeper starts another generation, which takes them up. */
  terminate(): Promise<void> {
    return this.end({ leave: this.#sessions.liveCount === 0 });
  }

  /** The keeper was killed: nobody would restart us, and the public socket is ours alone. A successor is started as any client would, then we go. */
  async afterKeeperLoss(): Promise<void> {
    const { places, build, name, log } = this.#options;
    if (this.#ending) return;
    log.warn("keeper_lost", { successor: name });
    this.#mail.close();
    this.#sessions.keeperLost();
    this.#debug.close(); // the successor binds its own in that place
    this.#isServing = false;
    withdraw(places.serversDir, name, process.pid);
    // keeper.json stays: it may be the next keeper's by now, and one of a dead keeper leads nobody anywhere.
    const successor = spawn(process.execPath, [join(build.dir, "warren.cjs"), "serve", "--server-name", name], {
      detached: true,
      stdio: "ignore",
      cwd: "/",
    });
    successor.on("error", () => {});
    successor.unref();
    await this.end({ leave: false });
  }

  /** Without its connection to the keeper a server hears of nothing. The control line tells whether the keeper has gone with it. */
  #goOnAnew(): void {
    if (this.#ending) return;
    this.#options.log.error("keeper_connection_lost");
    setTimeout(() => void this.end({ leave: false }), KEEPER_LOSS_TOLD_MS).unref();
  }

  /** What was deployed is taken up (SIGHUP). */
  async refreshGateways(): Promise<void> {
    await this.#primary.gateways?.refreshAll();
  }

  #publish(routed: RoutedEvent): void {
    this.#debug.published(routed);
    this.#subscriptions.publish(routed);
  }

  #accept(socket: net.Socket): void {
    this.#idleness.touch();
    this.#connectionCount += 1;
    const connection = new Connection(socket, {
      meter: new ConnectionMeter(this.#connectionCount, Date.now()),
      onLine: (line, from) => this.#dispatcher.onLine(line, from),
      onTooLong: (from) => this.#dispatcher.onTooLong(from),
      onClose: (from) => {
        this.#connections.delete(from);
        this.#subscriptions.unsubscribe(from);
        this.#debug.left(from);
        this.#idleness.touch();
      },
    });
    this.#connections.add(connection);
    this.#debug.came(connection);
    if (this.#debug.faults?.pausesReads) connection.hold(true);
  }

  async #end(leave: boolean): Promise<void> {
    const { places, name, log, onEnded, onLeaving, onFree } = this.#options;
    const { faults } = this.#debug;
    this.#over.abort();
    this.#mail.close();
    this.#listener.close(); // the keeper keeps the socket: who connects now waits for the successor
    this.#debug.enter("ending", "what is in hand");
    await this.#dispatcher.drain(DRAIN_MS);
    this.#debug.enter("ending", "sessions that are being started");
    await this.#sessions.settled();
    faults?.reach("ending.drained");
    this.#isServing = false;
    // A session that was started meanwhile needs a server of this name: the keeper starts the next generation.
    const isOver = leave && this.#sessions.liveCount === 0;
    if (isOver) {
      onLeaving();
      faults?.reach("ending.leaving");
      withdraw(places.serversDir, name, process.pid);
      faults?.reach("ending.withdrawn");
    }
    this.#debug.enter("ending", "the sessions, to be let go");
    await this.#sessions.release();
    faults?.reach("ending.closed");
    this.#debug.enter("ending", "clients, to be told");
    await sayGoodbye([...this.#connections]);
    faults?.reach("ending.told");
    this.#mailForward.close();
    this.#primary.close();
    log.info("ended", { name, leave: isOver });
    this.#debug.enter("ended");
    this.#debug.close();
    if (!leave) onFree();
    await this.#sessions.close();
    onEnded(isOver);
  }

  /** A newer server takes the jobs. Who has sessions stays for them, and goes when the last one has ended or moved. */
  async #yield(): Promise<void> {
    this.#debug.enter("yielding", "what is in hand");
    await this.#dispatcher.drain(DRAIN_MS);
    await this.#sessions.settled();
    if (this.#sessions.liveCount === 0) return this.end({ leave: true });
    const asking = (): Connection[] => [...this.#connections].filter(({ isStream }) => !isStream);
    await sayGoodbye(asking());
    this.#primary.close();
    this.#dispatcher.goOn();
    if (!this.#ending) this.#debug.enter("serving");
    this.#announce();
    await sayGoodbye(asking()); // who came meanwhile was sent away, and waits for the connection's end
  }

  /** The newest server has gone, this one is still here and is asked for the jobs: by several at once, perhaps. */
  #claimJobs(): Promise<void> {
    this.#claiming ??= this.#takeJobs().finally(() => {
      this.#claiming = undefined;
    });
    return this.#claiming;
  }

  async #takeJobs(): Promise<void> {
    const { places, name, log } = this.#options;
    if (this.#primary.isHeld || this.#ending || livePrimary(places, name)) return;
    const lock = tryLock(join(places.locksDir, "primary.lock"));
    if (!lock) return;
    await this.#primary.open(lock);
    this.#announce();
    log.info("jobs_claimed", { name });
  }

  async #shutdown(force: boolean): Promise<void> {
    const names = this.#sessions.members().map((member) => member.name);
    if (names.length > 0 && !force) throw sessionErrors.sessionsLive(names);
    await this.#sessions.endAll({ force: false });
    setImmediate(() => void this.end({ leave: true }));
  }

  /** On a full disk it serves all the same: who asks the keeper still finds it. */
  #writeDown(): void {
    const { places, build, name, log } = this.#options;
    try {
      this.#announce();
      markGood(places.buildsDir, build.hash);
      rememberName(places.buildsDir, build.hash, name);
    } catch (error) {
      log.error("announce_failed", { error: messageOf(error) });
    }
  }

  /**
   * Not before all sessions are taken up: the entry of the generation before names them, and one of those taken up so far would hide the others. Nor when they are
   * let go; what was in hand when the end began may still bring one.
   */
  #announce(): void {
    if (!this.#isServing) return;
    try {
      announce(this.#options.places.serversDir, this.#description.entry());
    } catch (error) {
      this.#options.log.error("announce_failed", { error: messageOf(error) });
    }
  }

  #facts(): ServerFacts {
    const { build, name, places } = this.#options;
    return {
      name,
      build: build.hash,
      version: build.version,
      hello: () => this.#description.hello(),
      status: () => this.#description.status(),
      doctor: async () => ({ findings: (await this.#primary.jobs?.findings()) ?? [] }),
      shutdown: (force) => this.#shutdown(force),
      claimJobs: () => this.#claimJobs(),
      primaryName: () => livePrimary(places, name)?.name,
      yieldTo: (to) => {
        this.#options.log.info("yielding", { to });
        setImmediate(() => void this.#yield());
        return true;
      },
    };
  }

  #listenForDebug(): void {
    const parts = {
      server: this.#options.name,
      connections: () => this.#connections,
      subscriptions: this.#subscriptions,
      sessions: this.#sessions,
      jobs: () => this.#primary.jobs,
      keeper: this.#keeper,
    };
    this.#debug.listen(parts, () => ({ ...this.#description.status(), changing_count: this.#dispatcher.inHandCount }));
  }
}
