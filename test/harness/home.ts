import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { Client } from "../../src/client/client.ts";
import { dialPrimary } from "../../src/local/dial-primary.ts";
import { type Places, resolvePlaces } from "../../src/platform/paths.ts";
import { type Installation, thisInstallation } from "./build-copy.ts";
import { doingsOf, type HomeProcess, killAllOf, processesOf, type Role, treeOf, withRole } from "./processes.ts";
import { waitUntil } from "./wait-until.ts";
import { type Ended, type Running, startWarren, type WarrenOptions, well } from "./warren.ts";

/**
 * A user of their own: home, runtime directory and a project directory that exist for one test. Disposing it nukes the home, and fails the test when a
 * process of it is left.
 */
export interface TemporaryHome extends AsyncDisposable {
  /** WARREN_HOME. */
  readonly home: string;
  /** An empty directory to work in. */
  readonly dir: string;
  readonly base: string;
  readonly places: Places;
  /** What every command and client of this home gets. */
  readonly env: Record<string, string>;
  /** Runs a command to its end; fails when it shows a stack trace. */
  warren(args: readonly string[], options?: WarrenOptions & { from?: Installation }): Promise<Ended>;
  /** Runs a command that ends well; what it printed. */
  run(...args: string[]): Promise<string>;
  /** Starts a command. */
  start(args: readonly string[], options?: WarrenOptions & { from?: Installation }): Running;
  /** A client in this process; closed with the home. */
  client(options?: { from?: Installation; mode?: "start" | "find" }): Client;
  /** The one client for looks that are repeated: a connection for each of them would be work for the server. */
  looker(): Client;
  processes(role?: Role): HomeProcess[];
  /** The processes of its runs, without shims. */
  tree(): HomeProcess[];
  /** The one that serves; waits for it. */
  server(): Promise<HomeProcess>;
  keeper(): Promise<HomeProcess>;
  /** Servers' and keeper's logs, for a failure's message. */
  logs(): string;
}

export interface HomeOptions {
  env?: Record<string, string>;
  /** Where the home is; default: a new temporary directory. */
  home?: string;
}

/** From the last signal to the end of everything. */
const ENDED_DEADLINE_MS = 10_000;

export function temporaryHome({ env: extra = {}, home: wanted }: HomeOptions = {}): TemporaryHome {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "warren-t-")));
  const home = wanted ?? join(base, "home");
  const dir = join(base, "project");
  const runtime = join(base, "run");
  for (const made of [dir, runtime]) mkdirSync(made, { mode: 0o700 });
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    HOME: base,
    LANG: "C.UTF-8",
    WARREN_HOME: home,
    XDG_RUNTIME_DIR: runtime,
    ...extra,
  };
  // Said at the end of the test and not by a throw from here, which would hide the test's own failure behind a SuppressedError.
  let problem: string | undefined;
  after(() => {
    if (problem !== undefined) throw new Error(problem);
  });
  const clients: Client[] = [];
  let looker: Client | undefined;
  const running = new Set<Running>();
  const start: TemporaryHome["start"] = (args, options = {}) => {
    const { from = thisInstallation(), cwd = dir, input, deadlineMs = 60_000, quotesLog = false } = options;
    const one = startWarren(from.bin, args, { cwd, input, deadlineMs, quotesLog, env: { ...env, ...options.env } });
    running.add(one);
    void one.ended.catch(() => {}).finally(() => running.delete(one));
    return one;
  };
  const house: TemporaryHome = {
    home,
    dir,
    base,
    env,
    places: resolvePlaces(env),
    start,
    warren: (args, options) => start(args, options).ended,
    run: async (...args) => well(await start(args).ended),
    client({ from = thisInstallation(), mode = "start" } = {}) {
      const dial = dialPrimary({ places: resolvePlaces(env), build: from.build, env, mode });
      const client = new Client({ dial, name: "test", version: "0", randomId: () => crypto.randomUUID() });
      clients.push(client);
      return client;
    },
    looker: () => (looker ??= house.client()),
    processes: (role) => (role === undefined ? processesOf(home) : withRole(home, role)),
    tree: () => treeOf(home, house.places.stateDb),
    server: () => waitUntil(() => withRole(home, "server").at(-1), { what: "a server" }),
    keeper: () => waitUntil(() => withRole(home, "keeper").at(-1), { what: "a keeper" }),
    logs: () => logsOf(house.places),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      for (const one of running) one.child.kill("SIGKILL");
      problem = await endAll(house);
      if (problem) console.error(problem);
      if (process.env.WARREN_KEEP_HOME) console.error(`kept: ${base}`);
      else rmSync(base, { recursive: true, force: true });
    },
  };
  return house;
}

/** `nuke` ends everything; what it leaves is ended here and said. */
async function endAll(house: TemporaryHome): Promise<string | undefined> {
  const problems: string[] = [];
  if (existsSync(house.home)) {
    const nuked = await house
      .warren(["nuke", "--grace", "0s"])
      .catch((error) => ({ status: -1, stdout: "", stderr: String(error) }));
    if (nuked.status !== 0) problems.push(`nuke: ${nuked.status} ${nuked.stdout}${nuked.stderr}`);
  }
  const isOver = (): boolean => house.processes().length === 0;
  await waitUntil(isOver, { what: "the end of all processes", deadlineMs: ENDED_DEADLINE_MS }).catch(() => {});
  const left = house.processes();
  for (const one of left) {
    const argv = one.argv.slice(0, 6).join(" ").slice(0, 200);
    problems.push(`left: pid ${one.pid} ${one.role} ${argv} (${doingsOf(one.pid)})`);
  }
  await killAllOf(house.home);
  if (problems.length === 0) return undefined;
  return `the home ${house.home} did not end clean:\n${problems.join("\n")}\n${house.logs()}`;
}

function logsOf({ keeperLog, serverLogsDir }: Places): string {
  const servers = existsSync(serverLogsDir) ? readdirSync(serverLogsDir).map((name) => join(serverLogsDir, name)) : [];
  const tail = (path: string): string =>
    existsSync(path) ? `--- ${path}\n${readFileSync(path, "utf8").split("\n").slice(-15).join("\n")}` : "";
  return [keeperLog, ...servers].map(tail).join("\n");
}

/** A directory that another user could not even look into. */
export function forbidden(dir: string): Disposable {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o000);
  return { [Symbol.dispose]: () => chmodSync(dir, 0o700) };
}
