import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import type { HubNetwork } from "../../contact/network.ts";
import type { Places } from "../../platform/paths.ts";
import { systemCode, WarrenError } from "../../protocol/errors.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import { socketNetwork } from "./socket-network.ts";

/**
 * Hubs by https whose certificates are signed by an authority of one's own: `remote/hub-ca.pem` in the home holds those that are trusted besides the usual
 * ones. It is looked at before each connection, so that a file that has just come needs no restart. A hub is known by its key in any case; this decides
 * who on the way may see that we talk with it.
 */
const FILE = "hub-ca.pem";

export function trustingNetwork({ remoteDir }: Pick<Places, "remoteDir">): HubNetwork {
  const path = join(remoteDir, FILE);
  let usual: string[] | undefined; // a few hundred kilobytes: for those who have such a file
  let trusted = "";
  const trust = async (): Promise<void> => {
    const text = await readFile(path, "latin1").catch((error: unknown) => {
      if (systemCode(error) === "ENOENT") return "";
      throw notUsable(path, `cannot be read (${systemCode(error) ?? error})`);
    });
    if (text === trusted) return;
    if (text !== "" && !text.includes("-----BEGIN CERTIFICATE-----"))
      throw notUsable(path, "holds no certificate in PEM");
    try {
      usual ??= getCACertificates("default");
      setDefaultCACertificates(text === "" ? usual : [...usual, text]);
    } catch {
      throw notUsable(path, "holds a certificate that cannot be read");
    }
    trusted = text;
  };
  return {
    async dial(address, events, signal) {
      if (isTls(address)) await trust();
      return socketNetwork.dial(address, events, signal);
    },
    async claim(address, signal) {
      if (isTls(address)) await trust();
      return socketNetwork.claim(address, signal);
    },
  };
}

const isTls = (address: string): boolean => address.startsWith("https:");

const notUsable = (path: string, why: string): WarrenError =>
  new WarrenError("HUB_AUTHORITY_BAD", `${path} ${why}.`, {
    fix: `openssl x509 -in ${quoteWord(path)} -noout -subject`,
  });
