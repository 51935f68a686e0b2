import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import type { ReadStream, WriteStream } from "node:tty";
import { projectOf } from "../config/project-of.ts";
import { liveSessions } from "../local/find-session.ts";
import type { Build } from "../platform/build.ts";
import type { Places } from "../platform/paths.ts";
import { WarrenError } from "../protocol/errors.ts";
import { EXIT } from "../protocol/outcome.ts";
import { Connection } from "./connection.ts";
import { Effects } from "./effects.ts";
import { MailFeed } from "./mail/mail-feed.ts";
import { mailNameOf } from "./mail/me.ts";
import { initialModel, type Scope, selectedSession } from "./model/model.ts";
import { Handover, type TuiPrograms } from "./sessions/handover.ts";
import { ScreenFeed } from "./sessions/screen-feed.ts";
import { Servers } from "./sessions/servers.ts";
import { SessionRequests } from "./sessions/session-requests.ts";
import { Store } from "./store.ts";
import { Painter } from "./terminal/painter.ts";
import { Terminal, type TerminalStreams } from "./terminal/terminal.ts";
import { AGE_STEP_MS } from "./text/age.ts";
import { inOneRow } from "./text/ansi.ts";
import { tildePath } from "./text/width.ts";
import { UsageFeed } from "./usage-feed.ts";
import { screenOf } from "./views/screen.ts";
import { themeOf } from "./views/theme.ts";
import { WorkerFeed } from "./workers/worker-feed.ts";

/**
 * The terminal face: one model, one screen. Views turn the model into rows of text, the painter writes those that changed. Whatever ends it, the
 * terminal is as it was before: quitting, SIGTERM, SIGHUP, an exception.
 */
export interface TuiContext {
  env: Readonly<NodeJS.ProcessEnv>;
  cwd: string;
  places: Places;
  build: Build;
  stdin?: ReadStream;
  stdout?: WriteStream;
}

const SIGNALS = { SIGTERM: 143, SIGHUP: 129, SIGINT: EXIT.interrupted } as const;

/**
 * Resolves with the exit status when the user quits (0) or a signal asks for it (128 + its number).
 * @throws NO_TERMINAL when input or output is no terminal; what the first connection throws.
 */
export async function runTui(context: TuiContext, programs: TuiPrograms): Promise<number> {
  const { stdin = process.stdin, stdout = process.stdout } = context;
  if (!stdin.isTTY || !stdout.isTTY) {
    throw new WarrenError("NO_TERMINAL", "The screen needs a terminal on its input and output.", {
      fix: "warren list --all",
    });
  }
  const ending = new AbortController();
  const { promise: ended, resolve: end, reject: fail } = Promise.withResolvers<number>();
  const face = buildFace(context, programs, { stdin, stdout }, end, ending.signal);
  const { dispatch } = face.store;
  const onResize = (): void => dispatch({ type: "resize", columns: stdout.columns, rows: stdout.rows });
  stdout.on("resize", onResize);
  const stopListening = onSignals(end);
  const ticking = setInterval(() => dispatch({ type: "tick", nowMs: Date.now() }), AGE_STEP_MS);
  try {
    face.terminal.open();
    face.redraw();
    face.servers.refresh();
    face.connection.run().catch(fail);
    return await ended;
  } finally {
    ending.abort();
    await face.handover.over();
    clearInterval(ticking);
    stopListening();
    stdout.off("resize", onResize);
    face.store.close();
    face.terminal.close();
  }
}

/** The parts, joined: keys → store → painter, and store → effects → servers and files → store. */
function buildFace(
  context: TuiContext,
  programs: TuiPrograms,
  streams: TerminalStreams,
  end: (status: number) => void,
  signal: AbortSignal,
) {
  const theme = themeOf(context.env);
  const painter = new Painter((text) => terminal.write(text));
  const store = new Store(startModel(context, streams.stdout), (model) => painter.paint(screenOf(theme, model)));
  const { dispatch } = store;
  const terminal = new Terminal(streams, dispatch, () => end(SIGNALS.SIGHUP));
  const redraw = (): void => {
    painter.forget();
    painter.paint(screenOf(theme, store.model));
  };
  const { screens, servers, connection, workers, usage } = startFeeds(context, store, signal);
  const size = (): { cols: number; rows: number } => ({ cols: streams.stdout.columns, rows: streams.stdout.rows });
  const handover = new Handover({
    terminal,
    stdout: streams.stdout,
    redraw,
    feeds: [servers, screens, usage],
    programs,
    signal,
  });
  const effects = new Effects({
    ...context,
    client: connection.client,
    requests: new SessionRequests({ ...context, servers, size }),
    screens,
    workers,
    mail: new MailFeed({ ...context, me: store.model.mail.me, dispatch, signal }),
    mailName: store.model.mail.me,
    attach: (id, isViewer) => handover.attach(id, isViewer),
    dispatch,
    copy: (text) => terminal.copy(text),
    redraw,
    quit: () => end(EXIT.ok),
    onDemand: () => connection.demand(),
    signal,
  });
  store.onEffect = (effect) => effects.run(effect);
  return { store, terminal, connection, servers, handover, redraw };
}

/** What comes from servers: jobs and sessions by events, screens and workers by questions. */
function startFeeds(context: TuiContext, store: Store, signal: AbortSignal) {
  const { dispatch } = store;
  const screens = new ScreenFeed({ clientOf: (id) => servers.clientOf(id), dispatch, signal });
  const servers = new Servers({
    ...context,
    dispatch: (action) => {
      dispatch(action);
      screens.heard(selectedSession(store.model));
      // Not with the first snapshot alone: a server that hangs before it has given one is found silent by this question.
      if (action.type === "sessions" && action.servers.length > 0) usage.start();
    },
    signal,
  });
  const connection = new Connection({
    ...context,
    dispatch: (action) => {
      dispatch(action);
      if (action.type !== "snapshot") return;
      servers.refresh(); // the home is there now, if it was not
      usage.start();
    },
    onGateway: () => workers.heard(),
    signal,
  });
  const workers = new WorkerFeed({ client: connection.client, dispatch, signal });
  const usage = new UsageFeed({
    client: connection.client,
    sessions: () => servers.measured(),
    askWorkers: () => workers.heard(),
    dispatch,
    signal,
  });
  return { screens, servers, connection, workers, usage };
}

function startModel({ cwd, env, build, places }: TuiContext, stdout: WriteStream) {
  return initialModel({
    columns: stdout.columns,
    rows: stdout.rows,
    nowMs: Date.now(),
    scope: scopeOf(cwd, env.HOME || homedir()),
    version: build.version,
    mailName: mailNameOf(env, places),
    isPicker: liveSessions(places).length > 0,
  });
}

/** The project that the directory belongs to, else the directory itself. */
function scopeOf(cwd: string, homeDir: string): Scope {
  const directory = realpathSync(cwd);
  const project = projectOf(directory);
  const path = project ?? directory;
  return { kind: project === undefined ? "directory" : "project", path, label: inOneRow(tildePath(path, homeDir)) };
}

function onSignals(end: (status: number) => void): () => void {
  const listeners = Object.entries(SIGNALS).map(([signal, status]) => {
    const listener = (): void => end(status);
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => {
    for (const stop of listeners) stop();
  };
}
