import { createRoot } from "react-dom/client";
import { isWarrenError, messageOf } from "../protocol/errors.ts";
import { enter, forgetPass, tokenIn } from "./link/access.ts";
import { Loopback } from "./link/loopback.ts";
import { EMPTY_HOME, reduceHome } from "./model/home.ts";
import { HomeFeed } from "./store/home-feed.ts";
import { MailFeed } from "./store/mail-feed.ts";
import { browserMemory, rememberHome } from "./store/remembered.ts";
import { Store } from "./store/store.ts";
import { App } from "./views/App.tsx";
import { Closed } from "./views/Closed.tsx";
import { reduceNotes, type World, WorldContext } from "./views/world.ts";

/** The app's start in a page: lets the browser in, makes the way to this machine, draws. */
const VERSION = "1";

const root = createRoot(document.querySelector("#app")!);
const closed = (text: string): void => root.render(<Closed text={text} />);

async function start(): Promise<void> {
  const pass = await enter({ location, history, storage: localStorage, fetch: (...given) => fetch(...given) });
  if (pass === undefined) return closed("This browser has not been let in yet.");
  const machine = new Loopback({ name: location.hostname, open: () => openSocket(pass) });
  const home = new Store(EMPTY_HOME, reduceHome);
  const notes = new Store([], reduceNotes);
  const common = { machine, version: VERSION, dispatch: home.dispatch };
  const world: World = {
    machine,
    version: VERSION,
    home,
    notes,
    opening: { wantsFocus: false },
    feed: new HomeFeed(common),
    mail: new MailFeed(common),
  };
  const memory = browserMemory(machine.id);
  void memory.read().then((known) => known && home.dispatch({ type: "remembered", home: known }));
  const endMemory = rememberHome(home, memory);
  addEventListener("pagehide", endMemory, { once: true });
  machine.watch(({ kind }) => {
    if (kind !== "refused") return;
    forgetPass(localStorage);
    endMemory();
    void memory.forget();
    closed("This browser is not let in any more: warren web was started anew.");
  });
  const hurry = (): void => {
    if (!document.hidden) world.feed.hurry();
  };
  for (const event of ["pageshow", "online", "visibilitychange"]) addEventListener(event, hurry);
  root.render(
    <WorldContext value={world}>
      <App />
    </WorldContext>,
  );
}

function openSocket(pass: string): WebSocket {
  const url = new URL("/web/v1", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(url, ["warren.web.1", `pass.${pass}`]);
}

/** Refused without a policy where the browser asks for one (Trusted Types). */
function keepShell(): void {
  if (!("serviceWorker" in navigator)) return;
  const path = "/service-worker.js";
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  const policy = trustedTypes?.createPolicy("warren", { createScriptURL: (url) => (url === path ? url : "") });
  navigator.serviceWorker.register((policy?.createScriptURL(path) ?? path) as string).catch(() => {}); // the app works without
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): unknown };
}

// A new link in a page that is open already changes what stands behind the #, and loads nothing.
addEventListener("hashchange", () => {
  if (tokenIn(location.hash) !== undefined) location.reload();
});
keepShell();
start().catch((error: unknown) =>
  closed(isWarrenError(error) ? error.message : `The app could not start: ${messageOf(error)}`),
);
