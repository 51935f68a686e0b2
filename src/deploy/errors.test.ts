import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import type { DeployHost } from "../config/gateway/deployment.ts";
import { copyFailed, hostUnreachable, warrenMissingThere, warrenTooOld } from "./errors.ts";

test("deploy errors: what to type goes to the very host, whatever it is called", () => {
  const one: DeployHost = { name: "one", destination: "me@web1", port: 2222, path: "site", warren: ["/opt/w", "-x"] };
  assert.equal(copyFailed(one, "sh: 1: rsync: not found").fix, "ssh -p 2222 me@web1 'apt-get install rsync'");
  assert.equal(hostUnreachable(one, "").fix, "ssh -p 2222 me@web1 true");
  assert.equal(warrenMissingThere(one).fix, "ssh -p 2222 me@web1 'command -v /opt/w'");
  assert.equal(warrenTooOld(one).fix, "ssh -p 2222 me@web1 '/opt/w -x version'");
  const two: DeployHost = { ...one, destination: "me@[::1]", sshConfig: "/my dir/ssh" };
  assert.equal(hostUnreachable(two, "").fix, "ssh -F '/my dir/ssh' -p 2222 me@::1 true");
});

test("deploy errors: the host's shell takes each word as it is, after the one in which it is typed", () => {
  const warren = ["/my opt/it's w", "-x"];
  const host: DeployHost = { name: "one", destination: "me@web1", path: "site", warren };
  for (const [{ fix }, words] of [
    [warrenMissingThere(host), ["command", "-v", warren[0]]],
    [warrenTooOld(host), [...warren, "version"]],
  ] as const) {
    const script = `ssh() { shift; sh -c "printf '%s\\n' $*"; }; ${fix}`;
    assert.deepEqual(execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\n").slice(0, -1), words);
  }
});
