import { invalidLogin, invalidUrl } from "../errors.ts";

/** How to reach a NATS server. `url` may have user and password, or a token, before its host. */
export interface NatsSettings {
  url: string;
  /** A credentials file's content. */
  creds?: string | undefined;
  /** Certificates in PEM that may sign the server's. */
  ca?: string | undefined;
}

const PORT = 4222;

export interface NatsAddress {
  server: string;
  isTls: boolean;
  user?: string;
  pass?: string;
  token?: string;
}

/** @throws INVALID_URL */
export function natsAddress(url: string): NatsAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !["nats:", "tls:"].includes(parsed.protocol) || parsed.hostname === "")
    throw invalidUrl(shownUrl(url));
  const [user, pass] = [decoded(parsed.username, url), decoded(parsed.password, url)];
  return {
    server: `${parsed.hostname}:${parsed.port || PORT}`,
    isTls: parsed.protocol === "tls:",
    ...(user === "" ? {} : pass === "" ? { token: user } : { user, pass }),
  };
}

function decoded(text: string, url: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidLogin(shownUrl(url));
  }
}

/** Without what is secret in it. */
export function shownUrl(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/]*@/i, "$1");
}
