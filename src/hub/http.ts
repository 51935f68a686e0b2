import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";

/**
 * What a hub answers to plain HTTP: who it is, and that it is well. Everybody may ask, from any page: nothing here depends on who asks, and there is no cookie or token
 * that a foreign page could use. For the same reason a WebSocket is taken from any Origin: only a signature lets anybody in, and the app of one hub talks to others.
 */
export interface HubHttpOptions {
  /** Of the WebSocket; what can be asked about the hub lies below it. */
  path: string;
  facts: () => { key: string; fingerprint: string; label: string; version: string };
  isTls: boolean;
}

const YEAR_SECONDS = 31_536_000;

/**
 * For node:http's `request`. Loaded when somebody asks for the first time: with it come the web's Request and Response, 10 MB that a hub which only passes on
 * frames does not need.
 */
export const hubListener = (options: HubHttpOptions) =>
  getRequestListener(hubApp(options).fetch, { overrideGlobalObjects: false });

function hubApp({ path, facts, isTls }: HubHttpOptions): Hono {
  const app = new Hono();
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
