import type { FrontWorker } from "../../protocol/front-messages.ts";
import type { ExchangeFailure } from "../proxy/responder.ts";
import type { Problem, ProblemList } from "./page.ts";

/** Everything that the front has to say no to by itself, one factory each. What is wrong with a request's form is said where it is read (`http/`). */

export const noRoute = (path: string, list?: ProblemList): Problem => ({
  status: 404,
  code: "NO_ROUTE",
  title: "Nothing is here",
  text: `No route and no public file answers ${path}.`,
  list,
});

export const noFile = (path: string, worker: string): Problem => ({
  status: 404,
  code: "NO_FILE",
  title: "Nothing is here",
  text: `The worker ${worker} has no file for ${path}.`,
  worker,
});

export const reserved = (path: string): Problem => ({
  status: 404,
  code: "RESERVED",
  title: "Nothing is here",
  text: `Paths below /.warren/ are the gateway's own, and ${path} is none of them.`,
});

export const notFromElsewhere = (): Problem => ({
  status: 403,
  code: "NOT_FROM_ELSEWHERE",
  title: "Only on its own machine",
  text: "The dashboard is shown to browsers on the gateway's own machine, at http://localhost:<port>/.warren/. From another one: ssh -L 8080:localhost:<port> <machine>.",
});

export const methodNotAllowed = (method: string, allow: readonly string[]): Problem => ({
  status: 405,
  code: "METHOD_NOT_ALLOWED",
  title: "Not by this method",
  text: `${method} has no route here. ${allow.join(", ")} ${allow.length === 1 ? "has" : "have"}.`,
  allow,
});

export const rewriteLoop = (path: string): Problem => ({
  status: 508,
  code: "REWRITE_LOOP",
  title: "Going round in circles",
  text: `The rewrites for ${path} lead to each other. Look at the routes in warren.yaml.`,
});

export const workerGone = ({ name, reason }: Pick<FrontWorker, "name" | "reason">): Problem => ({
  status: 503,
  code: "WORKER_GONE",
  title: `${name} does not run`,
  text: reason ?? `The worker ${name} takes no requests now.`,
  worker: name,
});

export const workerUnknown = (worker: string): Problem => ({
  status: 503,
  code: "WORKER_UNKNOWN",
  title: `${worker} does not run`,
  text: `A route leads to the worker ${worker}, which there is not.`,
  worker,
});

export const fileUnreadable = (path: string, reason: string): Problem => ({
  status: 503,
  code: "FILE_UNREADABLE",
  title: "It cannot be read now",
  text: `The file for ${path} is there and could not be read (${reason}).`,
});

/** In production: why is said to those who run it (`warren gateway status`), not here. */
export const noVersion = (worker: string): Problem => ({
  status: 503,
  code: "NO_VERSION",
  title: `${worker} cannot be used now`,
  text: "This part of the site has no version that works. Try again later.",
  worker,
});

export const tooManyPages = (): Problem => ({
  status: 503,
  code: "TOO_MANY_PAGES",
  title: "Too many pages wait",
  text: "More browsers wait for reloads here than the gateway serves. Close some pages.",
});

const FAILURE_TITLES: Readonly<Record<ExchangeFailure["code"], string>> = {
  WORKER_UNKNOWN: "It does not run",
  WORKER_GONE: "It does not run",
  WORKER_FAILED: "It cannot be used now",
  WAITED_TOO_LONG: "It is not ready yet",
  TOO_MANY_WAIT: "Too many wait already",
  CONNECT_FAILED: "It does not answer",
  SESSION_SILENT: "Nothing listens there yet",
  CONNECTION_LOST: "It broke off",
  BAD_ANSWER: "It answered what is no HTTP",
  TOO_LATE: "It takes too long",
  LOOP: "Going round in circles",
  BODY_TOO_LARGE: "That is too large",
  INTERNAL: "Something went wrong here",
};

/** What became of a request on its way to a worker. */
export const exchangeFailed = ({ code, status, worker, reason }: ExchangeFailure): Problem => ({
  status,
  code,
  title: FAILURE_TITLES[code],
  text: reason,
  ...(worker === undefined ? {} : { worker }),
});
