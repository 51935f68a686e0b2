import type { DeployHost } from "../config/gateway/deployment.ts";

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
  "ssh",
  ...(host.sshConfig === undefined ? [] : ["-F", host.sshConfig]),
  ...(host.port === undefined ? [] : ["-p", String(host.port)]),
  ...(isInteractive ? [] : ["-o", "BatchMode=yes"]),
  "-T",
  ...ALIVE,
];

/** `me@[::1]` is `me@::1` to ssh; rsync wants the brackets. */
export const sshDestination = ({ destination }: DeployHost): string => destination.replace(/\[(.*)\]$/, "$1");
