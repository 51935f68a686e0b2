import { execFile } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { writeFileAtomic } from "../../platform/atomic-file.ts";
import { makeDirectories } from "../../platform/directories.ts";
import { homeDigest } from "../../platform/paths.ts";
import { messageOf, systemCode, WarrenError } from "../../protocol/errors.ts";
import type { Context } from "../context.ts";
import { unitText } from "./unit-text.ts";

/** Whether Warren starts with the machine. */
export interface BootState {
  enabled: boolean;
  unitPath: string;
  /** The user's units start without a login; undefined when that cannot be told. */
  lingers: boolean | undefined;
}

const run = promisify(execFile);

/** @throws BOOT_UNSUPPORTED, BOOT_FAILED */
export async function bootEnable(context: Context): Promise<BootState> {
  const unitPath = unitPathOf(context);
  const program = join(context.build.dir, "..", "bin", "warren");
  if (!existsSync(program)) throw bootFailed(`there is no ${program}`);
  // Nothing is written where no user manager answers.
  await systemctl("show-environment");
  makeDirectories(dirname(unitPath));
  writeFileAtomic(
    unitPath,
    unitText({ program, home: context.places.home, path: context.env.PATH ?? "/usr/bin:/bin" }),
    0o644,
  );
  await systemctl("daemon-reload");
  await systemctl("enable", unitNameOf(context));
  return bootStatus(context);
}

/** Not enabled is no error. @throws BOOT_UNSUPPORTED, BOOT_FAILED */
export async function bootDisable(context: Context): Promise<BootState> {
  if (existsSync(unitPathOf(context))) {
    await systemctl("disable", unitNameOf(context));
    rmSync(unitPathOf(context), { force: true });
    await systemctl("daemon-reload");
  }
  return bootStatus(context);
}

/** Reads files only, so it works where no systemd runs. */
export async function bootStatus(context: Context): Promise<BootState> {
  const unitPath = unitPathOf(context);
  const wanted = join(dirname(unitPath), "default.target.wants", unitNameOf(context));
  const lingerFiles = "/var/lib/systemd/linger";
  const lingers = existsSync(lingerFiles) ? existsSync(join(lingerFiles, userInfo().username)) : undefined;
  return { enabled: existsSync(unitPath) && existsSync(wanted), unitPath, lingers };
}

/** Each home has a unit of its own. */
function unitNameOf({ places }: Context): string {
  return places.home === join(homedir(), ".warren") ? "warren.service" : `warren-${homeDigest(places.home)}.service`;
}

const unitPathOf = (context: Context): string =>
  join(
    context.env.XDG_CONFIG_HOME || join(context.env.HOME || homedir(), ".config"),
    "systemd",
    "user",
    unitNameOf(context),
  );

async function systemctl(...args: string[]): Promise<void> {
  try {
    await run("systemctl", ["--user", ...args], { timeout: 10_000 });
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw bootFailed(lastLineOf(error));
    throw new WarrenError("BOOT_UNSUPPORTED", "There is no systemd here to start Warren with the machine.", {
      fix: '(crontab -l; echo "@reboot warren serve --boot") | crontab -',
      cause: error,
    });
  }
}

/** What systemctl itself said stands behind Node's sentence. */
const lastLineOf = (error: unknown): string => (messageOf(error).trim().split("\n").at(-1) ?? "").replace(/\.$/, "");

const bootFailed = (why: string): WarrenError =>
  new WarrenError("BOOT_FAILED", `Starting with the machine could not be arranged: ${why}.`, {
    fix: "systemctl --user status",
  });
