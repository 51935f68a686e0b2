import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { Build } from "../platform/build.ts";
import type { Certificate, CertificateFiles } from "../platform/certificate-files.ts";
import { type Clock, timestamp } from "../platform/clock.ts";
import { makeDirectories } from "../platform/directories.ts";
import { type Lock, tryLock } from "../platform/lock.ts";
import type { Log } from "../platform/log.ts";
import { nodeCrypto } from "../platform/node-crypto.ts";
import { ensureHome, ensureSocketDir, type Places } from "../platform/paths.ts";
import { messageOf, WarrenError } from "../protocol/errors.ts";
import type { HubStatus } from "../protocol/hub-control.ts";
import type { SigningKey } from "../sealing/crypto.ts";
import { fingerprintOf } from "../sealing/login.ts";
import { type AppFile, readAppFiles } from "../web-files/app-files.ts";
import { hubAddresses } from "./addresses.ts";
import { ServedCertificate } from "./certificate.ts";
import { keyId } from "./connection.ts";
import { HubControl } from "./control.ts";
import { FrontDoor } from "./front-door.ts";
import { Hub } from "./hub.ts";
import { hubKey } from "./hub-key.ts";
import { HUB_LIMITS, type HubLimits } from "./limits.ts";
import { ownerAnswers } from "./owner.ts";
import { HubStore } from "./store.ts";

/** A hub with all that it stands on: the lock on its home, its key, its store, its listeners. Started in this order, ended in reverse. */
export interface HubProcessOptions {
  places: Places;
  env: NodeJS.ProcessEnv;
  build: Build;
  clock: Clock;
  log: Log;
  host: string;
  port: number;
  label: string;
  isOpen: boolean;
  isBehindProxy: boolean;
  certificate?: CertificateFiles | undefined;
  limits?: HubLimits;
  /** Its disk has failed. */
  onBroken: (error: unknown) => void;
}

export class HubProcess {
  readonly #options: HubProcessOptions;
  readonly #limits: HubLimits;
  #lock: Lock | undefined;
  #key!: SigningKey;
  #fingerprint = "";
  #store: HubStore | undefined;
  #hub!: Hub;
  #door: FrontDoor | undefined;
  #control: HubControl | undefined;
  #served: ServedCertificate | undefined;
  #certificate: Certificate | undefined;
  #port = 0;
  readonly #startedMs: number;
  readonly #crypto = nodeCrypto();

  constructor(options: HubProcessOptions) {
    this.#options = options;
    this.#limits = options.limits ?? HUB_LIMITS;
    this.#startedMs = options.clock.wallMs();
  }

  /** @throws HUB_RUNS, CERTIFICATE_BAD, PORT_TAKEN, HUB_KEY_BAD, HUB_STORE_UNUSABLE, … Nothing is left behind then. */
  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      await this.end();
      throw error;
    }
  }

  /** Says goodbye, and writes down what is under way. */
  async end(): Promise<void> {
    this.#served?.close();
    this.#control?.close();
    this.#hub?.end();
    this.#door?.close();
    await this.#store?.close();
    this.#lock?.release();
  }

  facts() {
    const { build, label, isOpen, host, isBehindProxy } = this.#options;
    const certificateHosts = this.#certificate?.hosts;
    return {
      pid: process.pid,
      version: build.version,
      label,
      fingerprint: this.#fingerprint,
      key: keyId(this.#key.publicKey),
      started_at: timestamp(this.#startedMs),
      is_open: isOpen,
      port: this.#port,
      addresses: hubAddresses({
        host,
        port: this.#port,
        certificateHosts,
        ownAddresses: ownAddresses(),
        isBehindProxy,
      }),
    } satisfies Partial<HubStatus>;
  }

  async #start(): Promise<void> {
    const { places, env, log, clock, certificate, isOpen, onBroken } = this.#options;
    ensureHome(places);
    ensureSocketDir(places, env);
    makeDirectories(places.hubDir, 0o700);
    this.#lock = tryLock(places.hubLock);
    if (!this.#lock) throw hubRuns(places);
    if (certificate) this.#certificate = await this.#serveCertificate(certificate);
    this.#key = await hubKey(join(places.hubDir, "key"), this.#crypto);
    this.#fingerprint = groups(keyId(await fingerprintOf(this.#crypto, this.#key.publicKey)));
    const path = join(places.hubDir, "hub.db");
    this.#store = new HubStore({ path, limits: this.#limits, nowMs: clock.wallMs(), onBroken });
    const parts = { key: this.#key, crypto: this.#crypto, store: this.#store, clock, log };
    this.#hub = new Hub({ ...parts, isOpen, limits: this.#limits });
    await this.#listen();
    this.#control = new HubControl(ownerAnswers({ ...parts, hub: this.#hub, facts: () => this.facts() }), log);
    await this.#control.listen(places);
    log.info("hub_started", { port: this.#port, fingerprint: this.#fingerprint });
  }

  async #listen(): Promise<void> {
    const { host, port, isBehindProxy, build } = this.#options;
    const facts = () => {
      const { key, fingerprint, label, version } = this.facts();
      return { key, fingerprint, label, version };
    };
    const certificate = this.#certificate;
    // Read when the first one asks, since a hub that only passes on frames does not need it; and then kept, whatever an upgrade does to its directory.
    let app: ReadonlyMap<string, AppFile> | undefined;
    const files = (): ReadonlyMap<string, AppFile> => {
      app ??= readAppFiles(join(build.dir, "web"), "hub");
      return app;
    };
    this.#door = new FrontDoor({ facts, files, hub: this.#hub, limits: this.#limits, certificate, isBehindProxy });
    this.#port = await this.#door.listen(host, port);
  }

  #serveCertificate(files: CertificateFiles): Promise<Certificate> {
    const { clock, log } = this.#options;
    const onChanged = (certificate: Certificate): void => {
      this.#certificate = certificate;
      try {
        this.#door?.renew(certificate);
      } catch (error) {
        log.error("certificate_refused", { reason: messageOf(error) });
      }
    };
    this.#served = new ServedCertificate({ files, clock, log, onChanged });
    return this.#served.open();
  }
}

/** 8 groups of 4 hex digits, to be compared by eye. */
const groups = (hex: string): string => hex.replace(/.{4}(?=.)/g, "$& ");

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);

const hubRuns = ({ home }: Places): WarrenError =>
  new WarrenError("HUB_RUNS", `A hub runs in ${home} already.`, {
    fix: "warren hub status      # or another home: WARREN_HOME=~/.warren-2 warren hub",
  });
