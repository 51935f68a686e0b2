"use strict";
/**
 * A node worker that has started before its code exists. It waits on a unix socket (WARREN_STANDBY, for this user alone), is told once, in one line,
 *
 *     {"load": "/…/bin/api-1a2b.mjs", "env": {"WORKER_VERSION": "1a2b", "GONE": null}}
 *
 * and becomes that program, as if Node had been started with it: `process.argv[1]`, `require.main`, `import.meta.main`, how it ends. It answers
 *
 *     {"loading": true}                               from here on some of it may have run
 *     {"loaded": true, "tookMs": 12.5}                its modules have been evaluated
 *     {"failed": {"message": "…", "stack": "…"}}      with the error's code, if it has one: it ends by this error, as it would have by itself
 *
 * An answer may be missing: evaluation may take for ever, or end the process. Nothing of ours is open afterwards.
 *
 * Plain JavaScript without dependencies: it runs inside of the worker.
 */
const { writeSync, rmSync } = require("node:fs");
const Module = require("node:module");
const net = require("node:net");
const { pathToFileURL } = require("node:url");
const { inspect } = require("node:util");

const LINE_BYTES_MAX = 1024 * 1024;
/**
 * What most workers import, loaded while there is time. By import(), which also makes what is loaded only when somebody looks at it: a first
 * `import "node:http"` costs 15 ms, since among its names is a WebSocket.
 */
const BUILTINS =
  "assert async_hooks buffer child_process crypto events fs fs/promises http https module net os path perf_hooks process querystring stream " +
  "stream/promises string_decoder timers/promises tls url util worker_threads zlib";

const path = process.env.WARREN_STANDBY;
if (!path) throw new Error("WARREN_STANDBY names no socket");
delete process.env.WARREN_STANDBY;
for (const name of BUILTINS.split(" ")) void import(`node:${name}`);
// A file too, so that its way is known; this one has been loaded and is not run again.
void import(pathToFileURL(require.resolve("./preload.cjs")).href).catch(() => {});

const server = net.createServer(hear);
rmSync(path, { force: true });
const mask = process.umask(0o177);
server.listen(path);
process.umask(mask);

/** @param {net.Socket} connection */
function hear(connection) {
  let text = "";
  connection.setEncoding("utf8");
  connection.on("error", () => {});
  connection.on("data", (chunk) => {
    text += chunk;
    if (text.length > LINE_BYTES_MAX) return connection.destroy();
    const end = text.indexOf("\n");
    if (end < 0 || !server.listening) return;
    const order = orderIn(text.slice(0, end));
    if (!order) return connection.destroy();
    server.close();
    connection.removeAllListeners("data");
    // From a stack of its own, so that its errors show none of ours.
    setImmediate(become, order, connection);
  });
}

function orderIn(line) {
  try {
    const { load, env = {} } = JSON.parse(line);
    return typeof load === "string" && typeof env === "object" ? { load, env } : undefined;
  } catch {
    return undefined;
  }
}

function become({ load, env }, connection) {
  connection.unref();
  // The process may end right after: what is written must be in the socket by then.
  const answer = (message) => {
    try {
      writeSync(connection._handle.fd, `${JSON.stringify(message)}\n`);
    } catch {
      // nobody listens any more
    }
  };
  const failed = (error) => answer({ failed: failureOf(error) });
  process.once("uncaughtExceptionMonitor", failed);
  for (const [name, value] of Object.entries(env)) {
    if (value === null) delete process.env[name];
    else process.env[name] = String(value);
  }
  process.argv.splice(1, process.argv.length - 1, load);
  answer({ loading: true });
  const startedAt = performance.now();
  const settled = () => {
    process.off("uncaughtExceptionMonitor", failed);
    answer({ loaded: true, tookMs: performance.now() - startedAt });
    connection.destroy();
  };
  Module.runMain();
  // The same module once more: settles with its evaluation. Its failure is told by the monitor.
  if (load.endsWith(".cjs")) settled();
  else import(pathToFileURL(load).href).then(settled, () => {});
}

/** The stack is in terms of the sources when source maps are enabled. */
function failureOf(error) {
  if (error instanceof Error)
    return { message: `${error.name}: ${error.message}`, code: error.code, stack: String(error.stack ?? "") };
  return { message: `not an Error was thrown: ${inspect(error)}`, stack: "" };
}
