import { dirname, join } from "node:path";
import type { Build } from "../platform/build.ts";
import { ensureHome, type Places } from "../platform/paths.ts";
import { Backoff } from "../protocol/backoff.ts";
import { isWarrenError, WarrenError } from "../protocol/errors.ts";
import type { KeeperServer, ServerSpec } from "../protocol/keeper-calls.ts";
import { keepBuild, keptRuntime, lastGoodBuild, lastNameOf } from "../registry/builds.ts";
import { removeStaleDebugSockets } from "../registry/debug-sockets.ts";
import { isServing, readEntries, removeStaleEntries } from "../registry/entries.ts";
import { checkServerName, pickServerName } from "../registry/names.ts";
import { passOrWait } from "./gate.ts";
import { KeeperConnection, readKeeperEntry } from "./keeper-client.ts";
import { LEAN, startKeeper } from "./start-keeper.ts";

/**
 * Finds or starts this build's server: connect to the keeper, or start it behind the gate; then ask it for the server of the build, which it starts
 * at most once however many ask. Safe to call from any number of clients at once.
 */
const ENSURE_TIMEOUT_MS = 30_000;
/** What it is asked for may take longer than any limit, but a greeting is answered at once: without that, nothing is asked. */
export const KEEPER_GREETING_MS = 10_000;

export interface EnsureOptions {
  places: Places;
  build: Build;
  env: NodeJS.ProcessEnv;
  /** Asked for by name: fails when no server may have it, or another build has it. */
  serverName?: string;
}

/** @throws KEEPER_SILENT, KEEPER_FAILED, SERVER_START_FAILED and other refusals of the keeper; SERVER_NAME_INVALID */
export async function ensureServer(options: EnsureOptions): Promise<KeeperServer> {
  const { places, serverName } = options;
  if (serverName !== undefined) checkServerName(serverName);
  ensureHome(places);
  const build = keepBuild(places.buildsDir, options.build);
  const deadlineMs = performance.now() + ENSURE_TIMEOUT_MS;
  const backoff = new Backoff({ firstMs: 5, maxMs: 200 });
  for (;;) {
    const keeper = await connectKeeper({ ...options, build });
    try {
      await keeper.greet(KEEPER_GREETING_MS);
      const name = serverName ?? freeName(places, build);
      const socketDir = dirname(keeper.path);
      const server = await keeper.call({
        call: "server.start",
        spec: serverSpec(places, build, name),
        socketPath: join(socketDir, `${name}.sock`),
        ...fallbackOf(places, build, name),
      });
      await removeStale(places, { keeper, socketDir });
      return server;
    } catch (error) {
      // The keeper or its server was just ending, or another client took the name: look again.
      const passing = isWarrenError(error, "KEEPER_LOST") || isWarrenError(error, "SERVER_ENDING");
      const raced = isWarrenError(error, "NAME_TAKEN") && serverName === undefined;
      if (!(passing || raced) || performance.now() > deadlineMs) throw refusalIn(error) ?? error;
    } finally {
      keeper.close();
    }
    await new Promise((wake) => setTimeout(wake, backoff.nextMs()));
  }
}

/** The connection to the home's keeper; undefined when none runs. Starts nothing. */
export async function findKeeper(places: Places): Promise<KeeperConnection | undefined> {
  const entry = readKeeperEntry(places.keeperFile);
  return entry ? await KeeperConnection.connect(entry.socket) : undefined;
}

/** How a generation of `build` is started. */
export function serverSpec(places: Places, build: Build, name: string): ServerSpec {
  return {
    name,
    hash: build.hash,
    command: [keptRuntime(places.buildsDir), ...LEAN, join(build.dir, "server.js"), "--name", name],
    logPath: join(places.serverLogsDir, `${name}.log`),
  };
}

/** A server that refuses to start (a state from a newer Warren) says why in its log, whose end comes with the keeper's error. */
function refusalIn(error: unknown): WarrenError | undefined {
  if (!isWarrenError(error, "SERVER_START_FAILED") || !Array.isArray(error.detail?.lines)) return undefined;
  const last = parseOr(String(error.detail.lines.at(-1)), {});
  if (last.event !== "start_failed" || typeof last.code !== "string") return undefined;
  return new WarrenError(last.code, String(last.error), {
    cause: error,
    ...(typeof last.fix === "string" ? { fix: last.fix } : {}),
  });
}

function parseOr(line: string, otherwise: Record<string, unknown>): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return otherwise;
  }
}

async function connectKeeper({ places, build, env }: EnsureOptions): Promise<KeeperConnection> {
  const deadlineMs = performance.now() + ENSURE_TIMEOUT_MS;
  const backoff = new Backoff({ firstMs: 5, maxMs: 200 });
  for (;;) {
    const keeper = await findKeeper(places);
    if (keeper) return keeper;
    const gate = await passOrWait(places.home, ENSURE_TIMEOUT_MS);
    try {
      const again = await findKeeper(places);
      if (again) return again;
      if (gate) await startKeeper(places, build, keptRuntime(places.buildsDir), env);
    } finally {
      gate?.open();
    }
    if (performance.now() > deadlineMs) {
      throw new WarrenError("KEEPER_FAILED", `No keeper could be reached for ${places.home}.`, {
        fix: "warren doctor",
      });
    }
    if (backoff.attempt > 0) await new Promise((wake) => setTimeout(wake, backoff.nextMs()));
    else backoff.nextMs();
  }
}

function fallbackOf(places: Places, build: Build, name: string): { fallback?: ServerSpec } {
  const good = lastGoodBuild(places.buildsDir);
  return good && good.hash !== build.hash ? { fallback: serverSpec(places, good, name) } : {};
}

/** The one that this build's server had last, when it is free. */
function freeName(places: Places, build: Build): string {
  const taken = aliveNames(places);
  const last = lastNameOf(places.buildsDir, build.hash);
  return last !== undefined && !taken.has(last) ? last : pickServerName(taken);
}

/** Names that live servers have. */
const aliveNames = (places: Places): Set<string> =>
  new Set(readEntries(places.serversDir).flatMap((entry) => (isServing(entry) ? [entry.name] : [])));

/**
 * Takes away what dead servers have left, but for those whose next generation the keeper is starting: until that has written its own, the entry of the one before
 * leads to it, and names the sessions.
 */
async function removeStale(
  places: Places,
  { keeper, socketDir }: { keeper: KeeperConnection; socketDir: string },
): Promise<void> {
  const { servers } = await keeper.call({ call: "list" });
  const kept = new Set([...servers.map(({ name }) => name), ...aliveNames(places)]);
  removeStaleEntries(places.serversDir, kept);
  await removeStaleDebugSockets(socketDir, kept);
}
