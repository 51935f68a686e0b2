import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";

/** The built app, held in memory: an upgrade that replaces its directory changes nothing for pages that are open. */
export interface AppFile {
  bytes: Buffer;
  /** The same, compressed; absent where that would save nothing. */
  gzip?: Buffer;
  type: string;
  /** Its name changes with its content, so it may be kept for ever. */
  isImmutable: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webmanifest": "application/manifest+json",
};
const HASHED = /-[0-9A-Z]{8}\.(js|css)$/;

/** What serves the app, which the page has to know, offline too: `data-from` of its root element. */
export type AppOrigin = "machine" | "hub";

/** By path, `/` being the page. @param dir where the build put the app */
export function readAppFiles(dir: string, from: AppOrigin): ReadonlyMap<string, AppFile> {
  const files = new Map<string, AppFile>();
  for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const isPage = name === "index.html";
    const whole = readFileSync(join(dir, name));
    const bytes = isPage ? Buffer.from(whole.toString().replace('data-from="machine"', `data-from="${from}"`)) : whole;
    const gzip = gzipSync(bytes, { level: 9 });
    const isSmaller = gzip.length < 0.9 * bytes.length;
    const file = { bytes, ...(isSmaller ? { gzip } : {}), type, isImmutable: HASHED.test(name) };
    files.set(`/${name}`, file);
    if (isPage) files.set("/", file);
  }
  return files;
}

export interface SentFile {
  body: Buffer;
  headers: Readonly<Record<string, string>>;
}

/** As it is sent to a browser that takes these encodings (`Accept-Encoding`). What has another name with other content is kept for ever, the rest as long as it is the same. */
export function sentFile({ bytes, gzip, type, isImmutable }: AppFile, accepted: string | undefined): SentFile {
  const isZipped = gzip !== undefined && /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/.test(accepted ?? "");
  return {
    body: isZipped ? gzip : bytes,
    headers: {
      "Content-Type": type,
      "Cache-Control": isImmutable ? "max-age=31536000, immutable" : "no-cache",
      Vary: "Accept-Encoding",
      ...(isZipped ? { "Content-Encoding": "gzip" } : {}),
    },
  };
}
