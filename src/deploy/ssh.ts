import type { DeployHost } from "../config/gateway/deployment.ts";
import { shellCommand } from "./shell-words.ts";

/** How ssh is called for a host. What is configured for it (~/.ssh/config: user, keys, jump hosts) holds. */
export interface SshOptions {
  host: DeployHost;
  /** Somebody is there to be asked for a password. */
  isInteractive: boolean;
}

/** A connection that is gone is noticed within half a minute. */
const ALIVE = ["-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3", "-o", "ConnectTimeout=20"];

/** The words up to the destination. */
export const sshWords = ({ host, isInteractive }: SshOptions): string[] => [
  ...sshTo(host),
  ...(isInteractive ? [] : ["-o", "BatchMode=yes"]),
  "-T",
  ...ALIVE,
];

const sshTo = ({ sshConfig, port }: DeployHost): string[] => [
  "ssh",
  ...(sshConfig === undefined ? [] : ["-F", sshConfig]),
  ...(port === undefined ? [] : ["-p", String(port)]),
];

/** For a person to type: the same host, by the same way. Two shells read the command, the person's and the host's. */
export const sshLine = (host: DeployHost, words: readonly string[]): string =>
  shellCommand([...sshTo(host), sshDestination(host), shellCommand(words)]);

/** `me@[::1]` is `me@::1` to ssh; rsync wants the brackets. */
export const sshDestination = ({ destination }: DeployHost): string => destination.replace(/\[(.*)\]$/, "$1");
