import { getRequestListener } from "@hono/node-server";
import { Hono, type MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { type AppFile, sentFile } from "../web-files/app-files.ts";
import { securityHeaders } from "../web-files/security-headers.ts";

/**
 * What a hub answers to plain HTTP: the app, who it is, and that it is well. Everybody may ask, from any page: nothing here depends on who asks, and there is no cookie or token
 * that a foreign page could use. For the same reason a WebSocket is taken from any Origin: only a signature lets anybody in, and the app of one hub talks to others.
 */
export interface HubHttpOptions {
  /** Of the WebSocket; what can be asked about the hub lies below it. */
  path: string;
  facts: () => { key: string; fingerprint: string; label: string; version: string };
  isTls: boolean;
  /** The app, by path; asked when somebody wants a file of it. */
  files: () => ReadonlyMap<string, AppFile>;
}

const YEAR_SECONDS = 31_536_000;

/**
 * For node:http's `request`. Loaded when somebody asks for the first time: with it come the web's Request and Response, 10 MB that a hub which only passes on
 * frames does not need.
 */
export const hubListener = (options: HubHttpOptions) =>
  getRequestListener(hubApp(options).fetch, { overrideGlobalObjects: false });

function hubApp({ path, facts, isTls, files }: HubHttpOptions): Hono {
  const app = new Hono();
  app.use(appFiles(files, isTls));
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      crossOriginResourcePolicy: "cross-origin",
      strictTransportSecurity: isTls ? `max-age=${YEAR_SECONDS}` : false,
      xFrameOptions: "DENY",
    }),
  );
  app.use(`${path}/*`, async (context, next) => {
    context.header("Access-Control-Allow-Origin", "*");
    context.header("Access-Control-Allow-Private-Network", "true");
    context.header("Cache-Control", "no-store");
    if (context.req.method === "OPTIONS") return context.body(null, 204);
    return next();
  });
  app.get(`${path}/key`, (context) => context.json(facts()));
  app.get("/health", (context) => context.text("ok\n"));
  app.get(path, (context) => {
    context.header("Upgrade", "websocket");
    return context.text("Connect with a WebSocket.\n", 426);
  });
  app.notFound((context) => context.text("There is nothing here.\n", 404));
  app.onError((_error, context) => context.text("The hub failed.\n", 500));
  return app;
}

/** The app itself: everybody may have it, since there is nothing of anybody in it. With its own policy, which is wider than that of the rest. */
function appFiles(files: HubHttpOptions["files"], isTls: boolean): MiddlewareHandler {
  const headers = {
    ...securityHeaders({ isTls }),
    ...(isTls ? { "Strict-Transport-Security": `max-age=${YEAR_SECONDS}` } : {}),
  };
  return async (context, next) => {
    const { method, path } = context.req;
    const file = method === "GET" || method === "HEAD" ? files().get(path) : undefined;
    if (!file) return next();
    const sent = sentFile(file, context.req.header("accept-encoding"));
    return context.body(new Uint8Array(sent.body), 200, { ...headers, ...sent.headers });
  };
}
