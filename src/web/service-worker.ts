/**
 * Keeps the app's own files, so that it opens without its server and says what is known. Nothing of the home goes through here: that comes over a WebSocket, which service workers do
 * not see. A new build has another name, takes the place of the former when its files are whole, and removes them.
 */
declare const SHELL_FILES: string[];
declare const SHELL_NAME: string;
declare const self: WorkerScope;

/** What is used of ServiceWorkerGlobalScope; the whole of it cannot be had beside the types of a page. */
interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Extendable {
  request: Request;
  respondWith(response: Promise<Response>): void;
}
interface Notified extends Extendable {
  notification: { close(): void };
}
interface WorkerScope {
  location: Location;
  clients: {
    claim(): Promise<void>;
    matchAll(options: { type: "window" }): Promise<{ focus(): Promise<unknown> }[]>;
    openWindow(url: string): Promise<unknown>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "notificationclick", listener: (event: Notified) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
}

/** What answers there is no file of the app. */
const OWN_PATHS = ["/web/", "/hub/", "/health"];
/** A page that has not begun to come by then is not waited for. */
const FRESH_MS_MAX = 3_000;
/** From here on it is the server, or a proxy before it, that could not. */
const FAILED_STATUS = 500;
const CACHE = `warren-${SHELL_NAME}`;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(SHELL_FILES))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (
    request.method !== "GET" ||
    origin !== self.location.origin ||
    OWN_PATHS.some((path) => pathname.startsWith(path))
  )
    return;
  event.respondWith(request.mode === "navigate" ? freshPage(request) : keptFile(request));
});

/** Somebody needs the person: to the app as it is open, else to its inbox. */
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const open = async (): Promise<unknown> => {
    const [page] = await self.clients.matchAll({ type: "window" });
    return page ? page.focus() : self.clients.openWindow("/#/inbox");
  };
  event.waitUntil(open());
});

/** The page as it is now; the kept one where there is no server, where it fails, and where it says nothing for too long. */
async function freshPage(request: Request): Promise<Response> {
  const kept = await caches.match("/");
  if (!kept) return fetch(request);
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, FRESH_MS_MAX));
  const fresh = await Promise.race([fetch(request).catch(() => undefined), late]);
  return fresh && fresh.status < FAILED_STATUS ? fresh : kept;
}

async function keptFile(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}

export type {};
