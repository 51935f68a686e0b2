import type { Client } from "../client/client.ts";
import { parseCommand } from "../config/command-line.ts";
import { projectOf } from "../config/project-of.ts";
import { formatBytes } from "../protocol/durations.ts";
import { isWarrenError, messageOf, unreachable, WarrenError } from "../protocol/errors.ts";
import { LogFeeds } from "./logs/feeds.ts";
import type { MailFeed } from "./mail/mail-feed.ts";
import { askMail, readWhole } from "./mail/mail-requests.ts";
import type { MailAsk } from "./model/mail.ts";
import type { Action, Effect, Verb } from "./model/model.ts";
import type { ScreenFeed } from "./sessions/screen-feed.ts";
import type { SessionRequests, SessionVerb } from "./sessions/session-requests.ts";
import { whyLines } from "./why-lines.ts";
import type { WorkerFeed } from "./workers/worker-feed.ts";
import { askWorker, whyWorkerLines } from "./workers/worker-requests.ts";

/** Does what the model asks for: requests through the client, reads of log files, the clipboard. Every answer comes back as an action. */

const MESSAGE_MS = 3_000;
const RUNS_MAX = 200;

export interface EffectsOptions {
  client: Client;
  dispatch: (action: Action) => void;
  copy: (text: string) => void;
  redraw: () => void;
  quit: () => void;
  cwd: string;
  env: Readonly<NodeJS.ProcessEnv>;
  /** Before a request that the user asked for: lets a server be started for it. */
  onDemand: () => void;
  requests: SessionRequests;
  screens: ScreenFeed;
  workers: WorkerFeed;
  mail: MailFeed;
  /** For whom this screen speaks there. */
  mailName: string;
  /** Gives the terminal to a session; resolves when it is back. */
  attach: (id: string, isViewer: boolean) => Promise<void>;
  signal: AbortSignal;
}

export class Effects {
  readonly #options: EffectsOptions;
  readonly #feeds: LogFeeds;
  #loadingRuns: AbortController | undefined;
  #messageTimer: NodeJS.Timeout | undefined;

  constructor(options: EffectsOptions) {
    this.#options = options;
    this.#feeds = new LogFeeds(options.dispatch, options.signal);
    options.signal.addEventListener("abort", () => clearTimeout(this.#messageTimer), { once: true });
  }

  run(effect: Effect): void {
    switch (effect.kind) {
      case "perform":
        this.#report(this.#perform(effect.verb, effect.label));
        return;
      case "why":
        this.#report(this.#why(effect.jobId, effect.label));
        return;
      case "why-worker":
        this.#report(this.#whyWorker(effect.dir, effect.name));
        return;
      case "watch-worker":
        this.#options.workers.watch(effect.id);
        return;
      case "load-runs":
        this.#report(this.#loadRuns(effect.jobId));
        return;
      case "watch-log":
        this.#feeds.watch(effect.panel, effect.source);
        return;
      case "read-log":
        this.#feeds.read(effect.panel, effect.source, effect.range);
        return;
      case "find-in-log":
        this.#feeds.find(effect);
        return;
      case "attach":
        this.#report(this.#options.attach(effect.id, effect.isViewer));
        return;
      case "new-session":
        this.#report(this.#newSession());
        return;
      case "load-ended":
        this.#report(this.#loadEnded());
        return;
      case "watch-screen":
        this.#options.screens.watch(effect.id);
        return;
      case "mail":
        this.#report(this.#mail(effect.ask));
        return;
      case "copy":
        this.#options.copy(effect.text);
        return;
      case "expire-message":
        clearTimeout(this.#messageTimer);
        this.#messageTimer = setTimeout(
          () => this.#options.dispatch({ type: "message-expired", id: effect.id }),
          MESSAGE_MS,
        );
        return;
      case "redraw":
        this.#options.redraw();
        return;
      case "quit":
        this.#options.quit();
        return;
      default:
        unreachable(effect);
    }
  }

  #report(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (isWarrenError(error, "ABORTED") || isWarrenError(error, "CLOSED") || this.#options.signal.aborted) return;
      const fix = isWarrenError(error) && error.fix ? `  ${error.fix}` : "";
      this.#options.dispatch({ type: "failed", text: `${messageOf(error)}${fix}` });
    });
  }

  async #loadRuns(jobId: string): Promise<void> {
    this.#loadingRuns?.abort();
    const controller = new AbortController();
    this.#loadingRuns = controller;
    const { runs } = await this.#options.client.request(
      "runs",
      { job_id: jobId, limit: RUNS_MAX },
      { signal: controller.signal },
    );
    this.#options.dispatch({ type: "runs-loaded", jobId, runs });
  }

  async #why(jobId: string, label: string): Promise<void> {
    const report = await this.#options.client.request("why", { job_id: jobId });
    this.#options.dispatch({ type: "report", title: `why: ${label}`, lines: whyLines(report) });
  }

  async #whyWorker(dir: string, name: string): Promise<void> {
    const lines = await whyWorkerLines(this.#options.client, dir, name);
    this.#options.dispatch({ type: "report", title: `why: ${name}`, lines });
  }

  async #perform(verb: Verb, label: string): Promise<void> {
    this.#options.onDemand();
    if (verb.verb === "add") await this.#add(verb.commandLine);
    else if (isSessionVerb(verb))
      this.#options.dispatch({ type: "done", text: await this.#options.requests.perform(verb, label) });
    else this.#options.dispatch({ type: "done", text: await this.#request(verb, label) });
    if (verb.verb === "worker") this.#options.workers.heard(); // not every order is an event
  }

  async #mail(ask: MailAsk): Promise<void> {
    const { mail, mailName, dispatch } = this.#options;
    if (ask.ask === "watch") return mail.watch(ask.withName);
    if (ask.ask === "leave") return mail.leave();
    const client = mail.demand();
    if (!client) return;
    if (ask.ask !== "open") return dispatch({ type: "done", text: await askMail(client, mailName, ask) });
    dispatch({ type: "mail", news: { kind: "opened", entry: await readWhole(client, mailName, ask.seq) } });
  }

  async #add(commandLine: string): Promise<void> {
    const { client, cwd, dispatch } = this.#options;
    const parsed = parseCommand(commandLine);
    if (parsed.kind === "invalid") throw new WarrenError("BAD_COMMAND", `Not a command: ${parsed.reason}.`);
    const project = projectOf(cwd);
    const { job, action } = await client.request("add", {
      command: parsed.argv,
      workdir: cwd,
      ...(project === undefined ? {} : { project }),
      env: this.#environment(),
    });
    // Its event may come before or after the answer; here it must be known, to be selected.
    const event = { event: "job_updated", stream: "jobs", seq: 0, job_id: job.id, data: { job } };
    dispatch({ type: "event", event, nowMs: Date.now() });
    const said = action === "already_running" ? "runs already" : action === "started" ? "started again" : "started";
    dispatch({ type: "done", text: `${job.name ?? job.id} ${said}`, selectId: job.id });
  }

  /** With the environment that the job was started with, while the server knows it; else with that of this screen. */
  async #withEnvironment(request: (env: { env?: string[] }) => Promise<unknown>): Promise<void> {
    try {
      await request({});
    } catch (error) {
      if (!isWarrenError(error, "ENV_UNKNOWN")) throw error;
      await request({ env: this.#environment() });
    }
  }

  #environment(): string[] {
    return Object.entries(this.#options.env).flatMap(([name, value]) =>
      value === undefined ? [] : `${name}=${value}`,
    );
  }

  async #newSession(): Promise<void> {
    const { id } = await this.#options.requests.start(this.#environment());
    await this.#options.attach(id, false);
  }

  async #loadEnded(): Promise<void> {
    const { sessions } = await this.#options.client.request("session.list", { saved: true });
    this.#options.dispatch({ type: "ended-loaded", sessions });
  }

  async #request(verb: Exclude<Verb, { verb: "add" } | SessionVerb>, label: string): Promise<string> {
    const { client } = this.#options;
    switch (verb.verb) {
      case "worker":
        return askWorker(client, verb);
      case "start":
        await this.#withEnvironment((env) => client.request("start", { job_id: verb.jobId, ...env }));
        return `${label} started`;
      case "restart":
        await this.#withEnvironment((env) => client.request("restart", { job_id: verb.jobId, ...env }));
        return `${label} restarted`;
      case "stop":
        await client.request("stop", { job_id: verb.jobId });
        return `${label} stopped`;
      case "kill":
        await client.request("stop", { job_id: verb.jobId, force: true });
        return `${label} killed`;
      case "remove":
        await client.request("remove", { job_id: verb.jobId });
        return `${label} removed, with its runs and logs`;
      case "remove-run":
        await client.request("remove_run", { run_id: verb.runId });
        return `${label} removed, with its logs`;
      case "signal": {
        const { name, pid } = await client.request("signal", { job_id: verb.jobId, signal: verb.signal });
        return `${name} sent to ${label} (${pid})`;
      }
      case "stop-all": {
        const { stopped } = await client.request("stop_all", verb.workdir === null ? {} : { workdir: verb.workdir });
        return `${counted(stopped, "job")} stopped`;
      }
      case "cleanup": {
        const done = await client.request("cleanup", verb.workdir === null ? {} : { workdir: verb.workdir });
        return `${counted(done.removed, "job")} and ${counted(done.runs, "run")} removed, ${formatBytes(done.bytes)} freed`;
      }
      default:
        return unreachable(verb);
    }
  }
}

const isSessionVerb = (verb: Verb): verb is SessionVerb => verb.verb.startsWith("session-");

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
