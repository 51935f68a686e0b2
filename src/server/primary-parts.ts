import type { HomeConfig } from "../config/home-defaults.ts";
import type { GatewayEvent } from "../gateway/event-file.ts";
import type { Gateways } from "../gateway/gateways.ts";
import { Jobs } from "../jobs/jobs.ts";
import { openState } from "../jobs/schema.ts";
import type { Build } from "../platform/build.ts";
import { systemClock } from "../platform/clock.ts";
import type { Lock } from "../platform/lock.ts";
import type { Log } from "../platform/log.ts";
import type { Places } from "../platform/paths.ts";
import { messageOf } from "../protocol/errors.ts";
import type { RoutedEvent } from "../serving/subscriptions.ts";
import { routedGatewayEvent } from "./gateway-stream.ts";
import { routed } from "./jobs-stream.ts";
import type { KeeperLink } from "./keeper-link.ts";
import { openGateways } from "./open-gateways.ts";
import { OpenRemote } from "./open-remote.ts";
import { SessionAddresses } from "./session-addresses.ts";

/**
 * What one server of a home has at a time, its primary: the jobs, the gateways, the devices and hubs, and the lock that says so.
 *
 * Invariants
 * 1. None of it is open without the lock.
 * 2. Closing lets go of all of it: what runs goes on, and another server takes it up.
 */
export interface PrimaryPartsOptions {
  places: Places;
  build: Build;
  /** The server's. */
  name: string;
  config: HomeConfig;
  keeper: KeeperLink;
  log: Log;
  publish: (event: RoutedEvent) => void;
}

export class PrimaryParts {
  readonly #options: PrimaryPartsOptions;
  #lock: Lock | undefined;
  #jobs: Jobs | undefined;
  #gateways: Gateways | undefined;
  #remote: OpenRemote | undefined;
  #sessionAddresses: SessionAddresses | undefined;

  constructor(options: PrimaryPartsOptions) {
    this.#options = options;
  }

  /** This server is the primary. */
  get isHeld(): boolean {
    return this.#lock !== undefined;
  }

  get jobs(): Jobs | undefined {
    return this.#jobs;
  }

  get gateways(): Gateways | undefined {
    return this.#gateways;
  }

  get remote(): OpenRemote | undefined {
    return this.#remote;
  }

  /** Nothing runs, nothing is served, no device is let in. */
  get isIdle(): boolean {
    return [this.#jobs, this.#gateways, this.#remote].every((part) => part?.isIdle !== false);
  }

  /** Takes up what the lock stands for. @throws when the state cannot be opened (from a newer Warren, a full disk); the lock is free again then */
  async open(lock: Lock): Promise<void> {
    const { places, log, publish } = this.#options;
    this.#lock = lock;
    try {
      this.#jobs = await this.#openJobs();
    } catch (error) {
      this.close();
      throw error;
    }
    this.#openGateways();
    this.#remote = new OpenRemote({ places, log, publish });
    this.#remote.start();
  }

  close(): void {
    this.#remote?.close();
    this.#remote = undefined;
    this.#gateways?.close();
    this.#gateways = undefined;
    this.#sessionAddresses?.close();
    this.#sessionAddresses = undefined;
    this.#jobs?.close();
    this.#jobs = undefined;
    this.#lock?.release();
    this.#lock = undefined;
  }

  async #openJobs(): Promise<Jobs> {
    const { places, name, config, log, publish } = this.#options;
    const { database, setAside } = openState(places.stateDb, Date.now());
    if (setAside) log.error("state_set_aside", { error: `${places.stateDb} could not be read; it is now ${setAside}` });
    const jobs = new Jobs({
      database,
      statusDir: places.statusDir,
      logsDir: places.logsDir,
      nodePath: process.execPath,
      server: name,
      clock: systemClock,
      log,
      graceMs: config.jobs.graceMs,
      logMaxBytes: config.jobs.logMaxBytes,
      freeSpaceFloorBytes: config.jobs.freeSpaceFloorBytes,
      emit: (event) => publish(routed(event)),
    });
    await jobs.start();
    return jobs;
  }

  /** In its own time: nobody waits for a server because a project's files are slow to read. */
  #openGateways(): void {
    const { places, build, keeper, log, publish } = this.#options;
    const onEvent = (event: GatewayEvent): void => publish(routedGatewayEvent(event));
    const sessions = new SessionAddresses({
      serversDir: places.serversDir,
      onChange: () => this.#gateways?.tellSessions(),
    });
    this.#sessionAddresses = sessions;
    this.#gateways = openGateways({ places, build, keeper, sessions, log, onEvent });
    void this.#gateways.start().catch((error) => log.error("gateways_failed", { error: messageOf(error) }));
  }
}
