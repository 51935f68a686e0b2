import { stat } from "node:fs/promises";
import { type Certificate, type CertificateFiles, readCertificate } from "../platform/certificate-files.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { messageOf } from "../protocol/errors.ts";

/**
 * The certificate that is served. Its files are looked at now and then: a pair that has changed is taken up when both belong together; until then the one before serves
 * on. Connections that are open stay as they are.
 */
export interface ServedCertificateOptions {
  files: CertificateFiles;
  clock: Clock;
  log: Log;
  /** Another one was taken up. */
  onChanged: (certificate: Certificate) => void;
  pollMs?: number;
}

const POLL_MS = 2_000;

export class ServedCertificate {
  readonly #options: ServedCertificateOptions;
  #stamp: string | undefined;
  #problem: string | undefined;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  constructor(options: ServedCertificateOptions) {
    this.#options = options;
  }

  /** @throws CERTIFICATE_BAD: the first one has to be good. */
  async open(): Promise<Certificate> {
    this.#stamp = await stampOf(this.#options.files);
    const certificate = await readCertificate(this.#options.files);
    this.#schedule();
    return certificate;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  #schedule(): void {
    if (this.#isClosed) return;
    const { clock, pollMs = POLL_MS } = this.#options;
    this.#cancel = clock.timer(pollMs, () => void this.#look().then(() => this.#schedule()));
  }

  async #look(): Promise<void> {
    const { files, log, onChanged } = this.#options;
    const stamp = await stampOf(files);
    if (stamp === this.#stamp && this.#problem === undefined) return;
    try {
      const certificate = await readCertificate(files);
      if (this.#isClosed) return;
      this.#stamp = stamp;
      this.#problem = undefined;
      onChanged(certificate);
      log.info("certificate_taken", { cert: files.cert, hosts: certificate.hosts });
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== this.#problem) log.error("certificate_refused", { reason: problem });
      this.#problem = problem;
    }
  }
}

/** Identity, sizes and times of both files, through symlinks. */
async function stampOf({ cert, key }: CertificateFiles): Promise<string> {
  const stats = await Promise.all([cert, key].map((path) => stat(path, { bigint: true }).catch(() => undefined)));
  return stats.map((found) => (found ? [found.dev, found.ino, found.size, found.mtimeNs].join(":") : "none")).join(" ");
}
