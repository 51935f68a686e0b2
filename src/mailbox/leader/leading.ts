import { bootId } from "../../platform/process.ts";
import { messageOf } from "../../protocol/errors.ts";
import type { MailLeader, MailStatus } from "../../protocol/mail-units.ts";
import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import { Subscriptions } from "../../serving/subscriptions.ts";
import { announce } from "./announce.ts";
import { Description, ownStart } from "./description.ts";
import { Effects } from "./effects.ts";
import { alreadyHandingOver, handingOver } from "./errors.ts";
import { IpcSide } from "./ipc-side.ts";
import type { LeaderFacts } from "./leader-facts.ts";
import { LeaderLog } from "./leader-log.ts";
import { leaderRow } from "./leader-row.ts";
import type { LeadingOptions } from "./leading-options.ts";
import { COME_BACK_MS, GOODBYE_MS, STANDBY_AFTER_MS } from "./limits.ts";
import { Listeners } from "./listeners.ts";
import { LockWatch } from "./lock-watch.ts";
import { MachinesSide } from "./machines-side.ts";
import { MailDispatcher } from "./mail-dispatcher.ts";
import { MailEvents } from "./mail-events.ts";
import type { Peer } from "./peer.ts";
import { Pruning } from "./pruning.ts";
import { Reception } from "./reception.ts";
import { Roll } from "./roll.ts";
import { Standby } from "./standby.ts";
import { Successor } from "./successor.ts";
import { Upkeep } from "./upkeep.ts";
import { Waits } from "./waits.ts";

/** Something is wrong that another process may not have. */
const EXIT_FAILURE = 70;

/**
 * One leadership, from the lock to its end (docs/mailbox-design.md, "Taking over"). Life: `start` (epoch, sockets) → serving → `handOver`, `end`, or the
 * process's death, which costs nothing: whatever was answered is in the log.
 */
export class Leading implements LeaderFacts {
  readonly version: string;
  readonly #options: LeadingOptions;
  readonly #roll = new Roll();
  readonly #waits = new Waits();
  readonly #subscriptions: Subscriptions;
  readonly #dispatcher: MailDispatcher;
  readonly #reception: Reception;
  readonly #listeners: Listeners;
  readonly #standby: Standby;
  readonly #lock: LockWatch;
  readonly #leaderLog: LeaderLog;
  readonly #upkeep: Upkeep;
  readonly #pruning: Pruning;
  readonly #description: Description;
  readonly machines: MachinesSide;
  #events: MailEvents;
  #epoch = 0;
  #ledSinceMs = 0;
  #isEnding = false;
  /** As long as it has not been told to lead. */
  #successor: Successor | undefined;
  /** What was asked while there is one: `end`, without any successor; `terminate`, also when this one does not come. */
  #wish: "end" | "terminate" | undefined;
  #cancelStandby = (): void => {};

  /** Serves when it resolves. @throws MAIL_NOT_STORED */
  static async start(options: LeadingOptions): Promise<Leading> {
    const leading = new Leading(options, (await leaderRow(options.mailLog, options.clock.wallMs()))?.port);
    await leading.#start();
    return leading;
  }

  private constructor(options: LeadingOptions, lastPort: number | undefined) {
    const { build, clock, log, places, mailLog, secret, port } = options;
    this.#options = options;
    this.version = build.version;
    this.#subscriptions = new Subscriptions({ get: (stream) => this.#events.get(stream) });
    this.#events = this.#eventsOf(0);
    this.#leaderLog = new LeaderLog({
      mailLog,
      clock,
      log,
      onEffects: (effects) => {
        new Effects(this.#waits, this.#events).take(effects);
        this.machines.take(effects);
      },
    });
    this.machines = new MachinesSide({
      mailDir: places.mailDir,
      log: this.#leaderLog,
      clock,
      ownLog: log,
      epoch: () => this.#epoch,
      withPresence: (participants) => this.withPresence(participants),
    });
    this.#dispatcher = new MailDispatcher({
      subscriptions: this.#subscriptions,
      log,
      context: (peer, request, signal) => ({
        log: this.#leaderLog,
        waits: this.#waits,
        facts: this,
        peer,
        requestId: request.request_id,
        nowMs: () => clock.wallMs(),
        monotonicMs: () => clock.monotonicMs(),
        signal,
      }),
    });
    const ipc = new IpcSide({ log: this.#leaderLog, places, clock, ownLog: log, secret, isStrict: options.isStrict });
    this.#reception = new Reception({
      clock,
      isOpenToOthers: secret !== undefined,
      roll: this.#roll,
      dispatcher: this.#dispatcher,
      ipc,
      http: this,
      onLeft: (peer) => this.#left(peer),
    });
    this.#listeners = new Listeners({
      socketPath: places.mailSocket,
      port,
      lastPort,
      clock,
      log,
      onConnection: (socket, door) => this.#reception.enter(socket, door),
      onPortTaken: (taken) => ipc.meet(taken),
    });
    this.#description = new Description({
      build,
      socketPath: places.mailSocket,
      isDedicated: options.isDedicated,
      clock,
      epoch: () => this.#epoch,
      leaderLog: this.#leaderLog,
      listeners: this.#listeners,
      roll: this.#roll,
      connectionCount: () => this.#reception.connectionCount,
      waits: this.#waits,
      machines: this.machines,
    });
    this.#standby = new Standby({ clock, log });
    this.#lock = new LockWatch(places.mailLock, options.lock);
    this.#pruning = new Pruning({ leaderLog: this.#leaderLog, clock, log, keepMs: options.keepMs });
    this.#upkeep = new Upkeep({
      leaderLog: this.#leaderLog,
      lock: this.#lock,
      roll: this.#roll,
      clock,
      log,
      isWatched: () => this.#subscriptions.isFollowed("mail"),
      onPresence: (change) => this.#events.tell("participant_changed", change),
      isIdle: () => !options.isDedicated && !this.#reception.isNeeded && !this.machines.isJoined,
      idleMs: options.idleMs,
      onIdle: () => void this.end(),
    });
  }

  async #start(): Promise<void> {
    const { mailLog, build, places, isDedicated, log, clock, inherited, reason, gapMs } = this.#options;
    mailLog.onLost((why, error) => this.#lose(why, error));
    const port = await this.#listeners.bind(inherited);
    this.#epoch = await mailLog.takeLead({
      pid: process.pid,
      pidStart: ownStart(),
      bootId: bootId(),
      gitHash: build.hash,
      version: build.version,
      socket: places.mailSocket,
      ...(port === undefined ? {} : { port }),
      isDedicated,
    });
    this.#events = this.#eventsOf(this.#epoch);
    await this.#listeners.open(inherited);
    this.#ledSinceMs = clock.monotonicMs();
    const gap = gapMs?.();
    const told = gap === undefined ? {} : { gap_ms: Math.round(gap * 10) / 10 };
    log.info("Started message broker", {
      pid: process.pid,
      epoch: this.#epoch,
      reason,
      ...told,
      socket: places.mailSocket,
      ...(this.#listeners.port === undefined ? {} : { port: this.#listeners.port }),
      git_hash: build.hash,
    });
    this.#events.tell("leader_changed", { leader: this.leader(), reason, ...told });
    this.#options.onLed?.({ epoch: this.#epoch, reason, gapMs: gap });
    announce(places);
    this.#leaderLog.start();
    // Whoever waited is served first: starting a process takes one as long as a dozen answers.
    this.#cancelStandby = clock.timer(STANDBY_AFTER_MS, () => this.#standby.start());
    this.#upkeep.start();
    this.#pruning.start();
    this.machines.start();
  }

  get epoch(): number {
    return this.#epoch;
  }

  hello(greeting: PayloadOf<"hello">): DataOf<"hello"> {
    return this.#description.hello(greeting);
  }

  leader(): MailLeader {
    return this.#description.leader();
  }

  status(): Promise<MailStatus> {
    return this.#description.status();
  }

  members(): ReturnType<Roll["members"]> {
    return this.#roll.members();
  }

  joined({ member }: Peer): void {
    this.#events.tell("member_joined", { member });
  }

  withPresence(...[participants]: Parameters<LeaderFacts["withPresence"]>): ReturnType<LeaderFacts["withPresence"]> {
    return this.#roll.withPresence(participants);
  }

  waitsForMail(name: string): Disposable {
    return this.#roll.waitsFor(name);
  }

  async yieldLead({ command, is_dedicated }: PayloadOf<"mail.yield">): Promise<MailStatus> {
    if (this.#isEnding) throw alreadyHandingOver();
    const status = await this.status();
    const successor = await this.#handOver({ command, isDedicated: is_dedicated ?? false });
    return { ...status, leader: successor };
  }

  shutdown(): void {
    setImmediate(() => {
      if (!this.#isEnding) return void this.end();
      this.#wish = "end";
      this.#successor?.kill();
    });
  }

  /** SIGTERM: somebody who is connected goes on with a successor; without anybody it just ends. */
  async terminate(): Promise<void> {
    if (this.#isEnding) {
      this.#wish ??= "terminate";
      return;
    }
    if (this.#reception.isEmpty && !this.#isComingBack) return this.end();
    try {
      await this.#handOver({ isDedicated: false });
    } catch (error) {
      this.#options.log.error("handover_failed", { error: messageOf(error) });
      await this.end();
    }
  }

  /** Those of the leader before are on their way to this one. */
  get #isComingBack(): boolean {
    const { reason, clock } = this.#options;
    return reason !== "started" && clock.monotonicMs() - this.#ledSinceMs < COME_BACK_MS;
  }

  /** Without a successor: whoever comes next starts one. */
  async end(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#options.log.info("mailbox_ends", { epoch: this.#epoch });
    this.#listeners.remove();
    await this.#stopStandby();
    await this.#finish();
    this.#lock.release();
    this.#options.onEnded(0);
  }

  async #handOver(to: { command?: string[] | undefined; isDedicated: boolean }): Promise<MailLeader> {
    this.#isEnding = true;
    const { log } = this.#options;
    log.info("mailbox_hands_over", { epoch: this.#epoch, ...to });
    let successor: Successor;
    try {
      successor = await this.#warmSuccessor(to);
    } catch (error) {
      this.#isEnding = false;
      if (this.#wish) void this.end();
      throw error;
    }
    await this.#stopStandby(); // the lock is the successor's to take
    await this.#finish();
    if (this.#wish === "end") this.#listeners.remove();
    this.#lock.release();
    this.#successor = undefined; // from now on it is a leader
    try {
      return await successor.lead();
    } catch (error) {
      log.error("successor_lost", { error: messageOf(error) });
      throw this.#wish === "end" ? error : handingOver(); // somebody leads in a moment
    } finally {
      setTimeout(() => this.#options.onEnded(0), GOODBYE_MS); // the one who asked for it is answered
    }
  }

  /** @throws SUCCESSOR_FAILED */
  async #warmSuccessor(to: { command?: string[] | undefined; isDedicated: boolean }): Promise<Successor> {
    const successor = new Successor({ ...to, inherited: this.#listeners.descriptors });
    this.#successor = successor;
    try {
      await successor.warm();
      return successor;
    } catch (error) {
      this.#successor = undefined;
      successor.kill();
      throw error;
    }
  }

  async #stopStandby(): Promise<void> {
    this.#cancelStandby();
    await this.#standby.stop();
  }

  /** Takes nothing new, answers what is in hand, ends the connections. */
  async #finish(): Promise<void> {
    this.#upkeep.close();
    this.#pruning.close();
    this.#listeners.close();
    await this.#reception.close();
    await this.machines.close();
    this.#leaderLog.close();
    await this.#options.mailLog.close();
  }

  /** Nothing can be acknowledged any more. */
  #lose(why: "fenced" | "broken", error: unknown): void {
    const { log, onEnded } = this.#options;
    log.error("leader_lost", { why, epoch: this.#epoch, error: messageOf(error) });
    this.#isEnding = true;
    if (why === "fenced") {
      this.#dispatcher.lose();
      return onEnded(EXIT_FAILURE);
    }
    this.#listeners.close();
    void this.#dispatcher.drain(0); // what comes now is for the next leader
    setTimeout(() => onEnded(EXIT_FAILURE), GOODBYE_MS); // those who had asked are told that it was not stored
  }

  #left(peer: Peer): void {
    this.#subscriptions.unsubscribe(peer.connection);
    if (peer.member) this.#events.tell("member_left", { member: peer.member });
    this.#upkeep.left(peer);
  }

  #eventsOf(epoch: number): MailEvents {
    return new MailEvents({
      epoch,
      nowMs: () => this.#options.clock.wallMs(),
      publish: (routed) => this.#subscriptions.publish(routed),
    });
  }
}
