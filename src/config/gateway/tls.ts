import { resolve } from "node:path";
import { readCertificate } from "../../platform/certificate-files.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { FrontTls } from "../../protocol/front-messages.ts";
import type { ProjectFile } from "../project-fields.ts";
import type { Source } from "./config-source.ts";
import type { Notes } from "./notes.ts";

/** `gateway.tls`: each pair of files is read once to see that it is one. The front reads them again, and whenever they change. */

export interface TlsContext {
  source: Source;
  notes: Notes;
  /** A pair that is mended mends what was refused for it. */
  watched: Set<string>;
}

type Written = NonNullable<NonNullable<ProjectFile["gateway"]>["tls"]>;

export async function readTls(
  dir: string,
  { certificates = [], plain = "redirect" }: Written,
  context: TlsContext,
): Promise<FrontTls> {
  const pairs: FrontTls["certificates"] = [];
  for (const [index, { cert, key }] of certificates.entries()) {
    if (cert === undefined) continue; // the checker has said so
    const pair = { cert: resolve(dir, cert), key: resolve(dir, key ?? cert) };
    await look(pair, { ...context, at: `gateway.tls.certificates[${index}]`, hasKey: key !== undefined });
    for (const file of Object.values(pair)) context.watched.add(file);
    pairs.push(pair);
  }
  return { certificates: pairs, plain };
}

interface Place extends TlsContext {
  at: string;
  hasKey: boolean;
}

/** What is no pair is a problem; one that has expired is still what somebody wants to be served, and is mended without us. */
async function look(pair: FrontTls["certificates"][number], { source, notes, at, hasKey }: Place): Promise<void> {
  try {
    const { hosts, validFromMs, expiresAtMs } = await readCertificate(pair);
    const nowMs = Date.now();
    if (expiresAtMs <= nowMs) notes.warn(`${pair.cert} expired at ${dateOf(expiresAtMs)}.`);
    if (validFromMs > nowMs) notes.warn(`${pair.cert} is not valid before ${dateOf(validFromMs)}.`);
    if (hosts.length === 0) notes.warn(`${pair.cert} names no host (subjectAltName), and browsers take it for none.`);
  } catch (error) {
    if (!isWarrenError(error, "CERTIFICATE_BAD")) throw error;
    const { part, file, reason } = error.detail as { part: "cert" | "key"; file: string; reason: string };
    const isMissing = part === "key" && !hasKey;
    source.report(
      `${at}.${part === "key" && hasKey ? "key" : "cert"}`,
      `${file} ${reason}`,
      isMissing ? 'where is its key? "key: site.key"' : undefined,
    );
  }
}

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace("T", " ").concat(" UTC");
