import type { DeployHost } from "../config/gateway/deployment.ts";
import { WarrenError } from "../protocol/errors.ts";
import { sshLine } from "./ssh.ts";

/** What can go wrong between here and a host. */

export const programMissing = (program: "ssh" | "rsync"): WarrenError =>
  new WarrenError("PROGRAM_NOT_FOUND", `${program} is not installed here; a deploy needs ssh and rsync.`, {
    fix: `apt-get install ${program === "ssh" ? "openssh-client" : "rsync"}`,
  });

export const hostUnreachable = (host: DeployHost, said: string): WarrenError =>
  new WarrenError(
    "HOST_UNREACHABLE",
    `ssh does not get to ${host.name}: ${said || "it says nothing"}. Nothing was changed there.`,
    { fix: sshLine(host, ["true"]) },
  );

export const warrenMissingThere = (host: DeployHost): WarrenError =>
  new WarrenError(
    "WARREN_NOT_THERE",
    `${host.name} has no ${host.warren[0]} on the PATH that ssh gives it. Nothing was changed there. Install Warren there, or name its command in config/deployment.yaml: "warren: /opt/warren/bin/warren".`,
    { fix: sshLine(host, ["command", "-v", host.warren[0]!]) },
  );

export const warrenTooOld = (host: DeployHost): WarrenError =>
  new WarrenError(
    "WARREN_TOO_OLD",
    `The Warren on ${host.name} takes no deploys of this one. Nothing was changed there.`,
    { fix: sshLine(host, [...host.warren, "version"]) },
  );

export const connectionLost = ({ name }: DeployHost, isSwitching: boolean, said: string): WarrenError => {
  const reason = said === "" ? "" : ` (${said})`;
  return new WarrenError(
    "DEPLOY_CONNECTION_LOST",
    isSwitching
      ? `The connection to ${name} was lost during the switch${reason}. The host finishes by itself: it serves what was deployed if all of it is healthy, and else what it served before.`
      : `The connection to ${name} was lost before the switch${reason}. Nothing was changed there.`,
    { fix: "warren gateway deploy" },
  );
};

export const copyFailed = (host: DeployHost, said: string): WarrenError =>
  new WarrenError("COPY_FAILED", `Copying to ${host.name} failed: ${said}. Nothing was changed there.`, {
    fix: /rsync: (command )?not found|command not found: rsync/.test(said)
      ? sshLine(host, ["apt-get", "install", "rsync"])
      : "warren gateway deploy",
  });

export const deployInterrupted = (what: string): WarrenError => new WarrenError("INTERRUPTED", `Interrupted. ${what}`);
