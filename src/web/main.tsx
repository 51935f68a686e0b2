import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { isWarrenError, messageOf } from "../protocol/errors.ts";
import { enter, forgetPass, tokenIn } from "./link/access.ts";
import { Loopback } from "./link/loopback.ts";
import { LOCAL } from "./model/rows.ts";
import { FirstScreenMemory } from "./store/first-screen-memory.ts";
import { FleetStore } from "./store/fleet-store.ts";
import { pairLinkIn } from "./store/pair-flow.ts";
import { browserMemories } from "./store/remembered.ts";
import type { RemoteOptions } from "./store/remote.ts";
import { openRemote } from "./store/remote-start.ts";
import { openSettings, type SettingsStore } from "./store/settings-store.ts";
import { Store } from "./store/store.ts";
import { App } from "./views/App.tsx";
import { AskedScope } from "./views/asked.tsx";
import { Closed } from "./views/Closed.tsx";
import { SettingsScope } from "./views/settings.tsx";
import { AppContext, type AppWorld, reduceNotes } from "./views/world.ts";

/** The app's start in a page: on loopback it lets the browser in and makes the way to this machine; everywhere it takes up the machines behind hubs. */
const VERSION = "1";

/** A store that does not answer is not waited for any longer: what is known stands in the list. */
const FIRST_SCREEN_MS_MAX = 5_000;
/** The same of a frame. */
const FRAME_MS_MAX = 100;

const root = createRoot(document.querySelector("#app")!);
/** Nothing of the app is shown after that, whatever of its start is still under way. */
let isClosed = false;
const closed = (text: string): void => {
  isClosed = true;
  root.render(<Closed text={text} />);
};
/** Who serves the app: `warren web` of a machine, or a hub. It stands in the page itself, so that it is known offline too. */
const isOfHub = document.documentElement.dataset.from === "hub";

async function start(): Promise<void> {
  const fleet = new FleetStore({ version: VERSION, memoryOf: browserMemories() });
  const firstScreen = new FirstScreenMemory(() => localStorage);
  if (!isOfHub) {
    const pass = await enter({ location, history, storage: localStorage, fetch: (...given) => fetch(...given) });
    if (pass === undefined) {
      firstScreen.forget();
      return closed("This browser has not been let in yet.");
    }
    addLocal(fleet, pass, firstScreen);
  }
  const settings = openSettings({
    storage: localStorage,
    events: window,
    nowMs: Date.now,
    randomId: () => crypto.randomUUID(),
  });
  const notes = new Store([], reduceNotes);
  const common = {
    version: VERSION,
    fleet,
    firstScreen,
    notes,
    opening: { wantsFocus: false },
    questions: { goneMs: 0 },
    drafts: { all: undefined },
  };
  // A pairing link leaves the address before anything is shown.
  if (firstScreen.kept !== undefined && pairLinkIn(location) === undefined) {
    flushSync(() => show({ ...common, remote: undefined, pairing: undefined, whyNoRemote: undefined }, settings));
    setTimeout(() => fleet.dispatch({ type: "remembered" }), FIRST_SCREEN_MS_MAX);
    await painted();
  }
  // Nothing that is shown first waits for it. A page that cannot fetch it has its settings for itself.
  const sync = import("./store/sync-settings.ts")
    .then(({ syncSettings }) => syncSettings(settings, fleet))
    .catch(() => undefined);
  const onSettings: RemoteOptions["onSettings"] = (machine, said) =>
    void sync.then((syncing) => syncing?.hear(machine, said));
  const app: AppWorld = { ...common, ...(await openRemote({ fleet, random: Math.random, onSettings })) };
  takeLink(app);
  addEventListener("hashchange", () => takeLink(app));
  addEventListener("pagehide", () => {
    fleet.writeDown();
    firstScreen.write();
  });
  const hurry = (): void => {
    if (document.hidden) return;
    fleet.hurry();
    void sync.then((syncing) => syncing?.hurry());
  };
  for (const event of ["pageshow", "online", "visibilitychange"]) addEventListener(event, hurry);
  show(app, settings);
}

function show(app: AppWorld, settings: SettingsStore): void {
  if (isClosed) return;
  root.render(
    <AppContext value={app}>
      <SettingsScope settings={settings}>
        <AskedScope>
          <App />
        </AskedScope>
      </SettingsScope>
    </AppContext>,
  );
}

/** The next frame is on the screen; a page that nobody sees has none, and is not to wait for one. */
function painted(): Promise<void> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, document.hidden ? 0 : FRAME_MS_MAX);
  });
}

function addLocal(fleet: FleetStore, pass: string, firstScreen: FirstScreenMemory): void {
  const machine = new Loopback({ name: location.hostname, open: () => openSocket(pass) });
  const facts = {
    id: LOCAL,
    ownName: "this machine",
    words: undefined,
    scopes: undefined,
    hubs: {},
    liveHub: undefined,
  };
  fleet.add(machine, facts);
  machine.watch(({ kind }) => {
    if (kind !== "refused") return;
    forgetPass(localStorage);
    fleet.forget(LOCAL);
    firstScreen.forget();
    closed("This browser is not let in any more: warren web was started anew.");
  });
}

function openSocket(pass: string): WebSocket {
  const url = new URL("/web/v1", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(url, ["warren.web.1", `pass.${pass}`]);
}

/** The page was opened as a pairing link: the code leaves the address before anything else is done, and is shown for the person to agree. */
function takeLink({ pairing }: AppWorld): void {
  const link = pairLinkIn(location);
  if (link === undefined) return;
  history.replaceState(null, "", "#/pair");
  dispatchEvent(new Event("hashchange"));
  void pairing?.read(link);
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
