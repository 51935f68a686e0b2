import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContext } from "node:tls";
import { messageOf, systemCode } from "../../protocol/errors.ts";

/**
 * Whom we believe that an instance elsewhere is who it says: the authorities that Node knows, or only those of a file. Read once, when its configuration is
 * applied. A file that cannot be read trusts nobody: every connection fails, and says why.
 */
export class UpstreamTrust {
  readonly context: SecureContext | undefined;
  readonly #problem: string | undefined;

  /** `ca`: a PEM file with certificates of authorities; absolute. */
  constructor(ca: string | undefined) {
    if (ca === undefined) return;
    try {
      const text = readFileSync(ca);
      if (!text.includes("-----BEGIN CERTIFICATE-----")) throw new Error("it holds no PEM certificate");
      this.context = createSecureContext({ ca: text });
    } catch (error) {
      this.#problem = `${ca} cannot be used: ${systemCode(error) ?? messageOf(error)}`;
      this.context = createSecureContext({ ca: [] });
    }
  }

  /** Why there is no secure connection, to stand after "takes no connection: ". */
  reasonOf(error: unknown, host: string): string {
    if (this.#problem !== undefined) return this.#problem;
    const code = systemCode(error) ?? messageOf(error);
    if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return `its certificate is not for ${host}`;
    if (code === "CERT_HAS_EXPIRED") return "its certificate has expired";
    if (code === "CERT_NOT_YET_VALID") return "its certificate is not valid yet";
    if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "EPROTO") return "it does not speak TLS";
    if (/_CERT|_ISSUER|_LEAF/.test(code))
      return `its certificate is not trusted (${code}); an authority of your own is named with "ca" in worker.yaml`;
    return code;
  }
}
