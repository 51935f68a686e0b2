import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { open } from "node:fs/promises";
import { systemCode, WarrenError } from "../protocol/errors.ts";

/** A server certificate and its private key, from their PEM files; both may be in one. */
export interface CertificateFiles {
  cert: string;
  key: string;
}

export interface Certificate {
  /** The whole chain, as it stands in the file. */
  certPem: string;
  keyPem: string;
  /** Of its subjectAltName, in lower case: names, `*.example.org`, addresses. */
  hosts: string[];
  validFromMs: number;
  expiresAtMs: number;
}

/** A larger file is no certificate. */
const FILE_BYTES_MAX = 1024 * 1024;

/**
 * Reads a pair, and makes sure that it is one. Times are told and not judged.
 * @throws CERTIFICATE_BAD with a reason to stand after the file's name (`detail.reason`) and which of the two is to blame (`detail.part`)
 */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  const certPem = await readPem(files.cert, "cert");
  const keyPem = files.key === files.cert ? certPem : await readPem(files.key, "key");
  const certificate = certificateIn(certPem, files.cert);
  const key = keyIn(keyPem, files.key);
  if (!certificate.checkPrivateKey(key)) throw bad(files.key, "key", `is not the key of ${files.cert}`);
  return {
    certPem,
    keyPem,
    hosts: hostsOf(certificate.subjectAltName ?? ""),
    validFromMs: certificate.validFromDate.getTime(),
    expiresAtMs: certificate.validToDate.getTime(),
  };
}

type Part = "cert" | "key";

const bad = (file: string, part: Part, reason: string): WarrenError =>
  new WarrenError("CERTIFICATE_BAD", `${file} ${reason}.`, { detail: { file, part, reason } });

async function readPem(file: string, part: Part): Promise<string> {
  try {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      if (size > FILE_BYTES_MAX) throw bad(file, part, `is larger than ${FILE_BYTES_MAX} bytes`);
      return await handle.readFile("latin1");
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof WarrenError) throw error;
    const code = systemCode(error) ?? "unknown reason";
    throw bad(file, part, code === "ENOENT" ? "does not exist" : `cannot be read: ${code}`);
  }
}

/** The first one in the file: the server's own; the chain follows it. */
function certificateIn(pem: string, file: string): X509Certificate {
  if (!pem.includes("-----BEGIN CERTIFICATE-----")) throw bad(file, "cert", "holds no PEM certificate");
  try {
    return new X509Certificate(pem);
  } catch {
    throw bad(file, "cert", "holds a certificate that cannot be read");
  }
}

function keyIn(pem: string, file: string): KeyObject {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) throw bad(file, "key", "holds no PEM private key");
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const isEncrypted = systemCode(error) === "ERR_MISSING_PASSPHRASE" || pem.includes("ENCRYPTED");
    throw bad(file, "key", isEncrypted ? "is encrypted, and nobody could be asked" : "holds a key that cannot be read");
  }
}

/** As node:crypto tells it: `DNS:example.org, IP Address:127.0.0.1`. What it has to quote is no name of a host. */
const hostsOf = (subjectAltName: string): string[] =>
  [...subjectAltName.matchAll(/(?:^|, )(?:DNS|IP Address):([^",\s]+)/g)].map(([, host]) => host!.toLowerCase());
