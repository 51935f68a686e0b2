import { stat } from "node:fs/promises";
import { createSecureContext, type SecureContext } from "node:tls";
import { type CertificateFiles, readCertificate } from "../../platform/certificate-files.ts";
import type { Clock } from "../../platform/clock.ts";
import { timestamp } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { FrontCertificate } from "../../protocol/front-messages.ts";
import { ServerNames } from "./server-names.ts";

/**
 * The certificates that are served, by the host that a client names. Their files are looked at again and again: a pair that has changed is taken up when both
 * files belong together, and until then, and when it is no good, what was read before serves on. Connections that are open stay as they are.
 *
 * The files are looked at and not watched: what changes may be a symlink anywhere on the way to them (certbot swaps the last one, Kubernetes one further up), or
 * lie on a file system that tells nobody. It is a stat(2) of two files now and then.
 */
export interface CertificatesOptions {
  files: readonly CertificateFiles[];
  /** Of all certificates, so that a session outlives the certificate that it began with. */
  ticketKeys: Buffer;
  clock: Clock;
  log: Log;
  pollMs?: number;
}

const POLL_MS = 2_000;

interface Served {
  files: CertificateFiles;
  /** Identity, times and sizes of the files that were read last; undefined: they have to be read. */
  stamp: string | undefined;
  context: SecureContext | undefined;
  hosts: string[];
  expiresAtMs: number;
  problem: string | undefined;
}

export class Certificates {
  readonly #options: CertificatesOptions;
  readonly #served: Served[];
  #names = new ServerNames<SecureContext>([]);
  #cancelPoll: (() => void) | undefined;
  #isClosed = false;

  constructor(options: CertificatesOptions) {
    this.#options = options;
    const nothing = { stamp: undefined, context: undefined, hosts: [], expiresAtMs: 0, problem: undefined };
    this.#served = options.files.map((files) => ({ files, ...nothing }));
  }

  /** Resolves when each pair was read, or found no good; from then on they are looked at. */
  async open(): Promise<void> {
    await this.#look();
    this.#schedule();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelPoll?.();
  }

  /** For the host that a client names; undefined: none of the files is any good. */
  contextFor(name: string | undefined): SecureContext | undefined {
    return this.#names.find(name);
  }

  hasName(name: string): boolean {
    return this.#names.named(name) !== undefined;
  }

  state(): FrontCertificate[] {
    return this.#served.map(({ files, hosts, context, expiresAtMs, problem }) => ({
      cert: files.cert,
      hosts,
      ...(context !== undefined && { expiresAt: timestamp(expiresAtMs) }),
      ...(problem !== undefined && { problem }),
    }));
  }

  #schedule(): void {
    if (this.#isClosed) return;
    const { clock, pollMs = POLL_MS } = this.#options;
    this.#cancelPoll = clock.timer(pollMs, () => void this.#look().then(() => this.#schedule()));
  }

  async #look(): Promise<void> {
    const changes = await Promise.all(this.#served.map((served) => this.#lookAt(served)));
    if (changes.includes(true)) this.#name();
  }

  #name(): void {
    this.#names = new ServerNames(
      this.#served.flatMap(({ context, hosts }) => (context === undefined ? [] : [{ hosts, value: context }])),
    );
  }

  /** True: another one is served. */
  async #lookAt(served: Served): Promise<boolean> {
    const stamp = await stampOf(served.files);
    // What was no good is read again in any case: two writes within one tick of a file system's clock look the same.
    if (stamp === served.stamp && served.problem === undefined) return false;
    try {
      const { certPem, keyPem, hosts, expiresAtMs } = await readCertificate(served.files);
      if (stamp === served.stamp && served.context !== undefined) return this.#settled(served);
      const { ticketKeys } = this.#options;
      served.context = createSecureContext({ cert: certPem, key: keyPem, minVersion: "TLSv1.2", ticketKeys });
      Object.assign(served, { stamp, hosts, expiresAtMs });
    } catch (error) {
      this.#refuse(served, error);
      return false;
    }
    served.problem = undefined;
    this.#options.log.info("certificate_taken", { cert: served.files.cert, hosts: served.hosts });
    return true;
  }

  #settled(served: Served): false {
    served.problem = undefined;
    return false;
  }

  /** Said once for each reason. */
  #refuse(served: Served, error: unknown): void {
    const problem = isWarrenError(error) ? error.message : `${served.files.cert} cannot be used: ${messageOf(error)}.`;
    if (problem !== served.problem)
      this.#options.log.error("certificate_refused", { reason: problem, isServing: served.context !== undefined });
    served.problem = problem;
  }
}

/** Through symlinks. */
async function stampOf({ cert, key }: CertificateFiles): Promise<string> {
  const stats = await Promise.all([cert, key].map((path) => stat(path, { bigint: true }).catch(() => undefined)));
  return stats.map((found) => (found ? [found.dev, found.ino, found.size, found.mtimeNs].join(":") : "none")).join(" ");
}
