"use strict";
/**
 * Comes before a node worker's own code (`--require`). The worker listens on its PORT as it would anywhere; here that first `listen` gets the socket which
 * was bound for it and handed over as descriptor 3 (sd_listen_fds(3): LISTEN_FDS, LISTEN_PID). Others are left alone.
 *
 * Whoever closes the server and listens on PORT again (a search for a free port does) gets the same socket again: the shim holds a copy for as long as
 * the worker lives, so the port could not be bound anew. In between it is kept, refuses what comes, and keeps no process alive.
 *
 * Plain JavaScript without dependencies: it runs inside of the worker.
 */
const { fstatSync } = require("node:fs");
const { Server } = require("node:net");
const { isMainThread } = require("node:worker_threads");

const SOCKET_FD = 3;

const { LISTEN_PID, LISTEN_FDS, PORT } = process.env;
// What a worker starts must not take them for its own, nor need this file.
delete process.env.LISTEN_PID;
delete process.env.LISTEN_FDS;
const at = process.execArgv.indexOf(__filename);
if (at > 0) process.execArgv.splice(at - 1, 2);
if (isMainThread && LISTEN_PID === String(process.pid) && LISTEN_FDS === "1" && PORT && isSocket()) offer(PORT);

function isSocket() {
  try {
    return fstatSync(SOCKET_FD).isSocket();
  } catch {
    return false;
  }
}

/** @param {string} port */
function offer(port) {
  const listen = Server.prototype.listen;
  /** Not taken yet: the descriptor. Taken: undefined. Given back: its handle. */
  let free = { fd: SOCKET_FD };

  /** @this {Server} */
  Server.prototype.listen = function (...args) {
    if (free === undefined || this.listening || portOf(args[0]) !== port) return listen.apply(this, args);
    const from = free;
    free = undefined;
    if (from._handle) from._handle.ref();
    const { backlog, signal } = optionsOf(args);
    const callback = args.findLast((arg) => typeof arg === "function");
    listen.call(this, signal === undefined ? from : { signal, ...from }, backlog, callback);
    keep(this._handle);
    return this;
  };
  // As `listen` is seen by those who count its parameters, or print it.
  Object.defineProperties(Server.prototype.listen, { name: { value: "listen" } });

  /** @param handle of the socket; its `close` gives it back */
  function keep(handle) {
    if (!handle) return;
    handle.close = (closed) => {
      delete handle.close;
      handle.onconnection = (_status, client) => client?.close();
      handle.unref();
      free = { _handle: handle };
      if (typeof closed === "function") setImmediate(closed);
    };
  }
}

/** The port of `listen(port, …)` or `listen({ port, … })` as PORT has it. */
function portOf(first) {
  const port = typeof first === "object" && first !== null ? first.port : first;
  return typeof port === "number" || typeof port === "string" ? String(port) : undefined;
}

/** What else was asked for: the backlog, and the signal that ends it. */
function optionsOf([first, ...others]) {
  if (typeof first === "object") return first;
  return { backlog: others.find((arg, at) => typeof arg === "number" && at < 2) };
}
