import { createContext, useContext, useEffect, useState, useSyncExternalStore } from "react";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { Fleet } from "../model/fleet.ts";
import type { Home } from "../model/home.ts";
import { hashOf, type Route, routeOf } from "../model/route.ts";
import type { Drafts } from "../store/drafts.ts";
import type { FirstScreenMemory } from "../store/first-screen-memory.ts";
import type { FleetStore, Place } from "../store/fleet-store.ts";
import type { PairFlow } from "../store/pair-flow.ts";
import type { Remote } from "../store/remote.ts";
import type { Store } from "../store/store.ts";

/** What every view may use; made once, in `main.tsx`. */
export interface AppWorld {
  version: string;
  fleet: FleetStore;
  firstScreen: FirstScreenMemory;
  /** This browser as a device of machines behind hubs; undefined where the browser cannot be one. */
  remote: Remote | undefined;
  pairing: PairFlow | undefined;
  /** Why it cannot. */
  whyNoRemote: string | undefined;
  notes: Store<Note[], NoteAction>;
  /** The unit that is opened next was opened to be typed into: by a click or enter, not in passing. */
  opening: { wantsFocus: boolean };
  /** When a question that stood there was last taken away, by the page's own clock. */
  questions: { goneMs: number };
  /** What was typed into prompt lines and is not sent, by machine and session; made with the first of them, whose code comes later than this. */
  drafts: { all: Drafts | undefined };
}

/** The same within a part of the page that is about one machine: see `OfMachine`. */
export interface World extends AppWorld, Place {}

/** Said at the lower edge and to screen readers: what was done, or why it was not. */
export interface Note {
  id: number;
  text: string;
  tone: "good" | "bad";
  fix?: string | undefined;
}
export type NoteAction = { type: "say"; note: Note } | { type: "forget"; id: number };

const NOTES_MAX = 3;

export function reduceNotes(notes: Note[], action: NoteAction): Note[] {
  if (action.type === "forget") return notes.filter(({ id }) => id !== action.id);
  return [...notes, action.note].slice(-NOTES_MAX);
}

export const AppContext = createContext<AppWorld | undefined>(undefined);
export const WorldContext = createContext<World | undefined>(undefined);

export function useApp(): AppWorld {
  const app = useContext(AppContext);
  if (!app) throw new Error("no app around this view");
  return app;
}

/** Of the machine that this part of the page is about. */
export function useWorld(): World {
  const world = useContext(WorldContext);
  if (!world) throw new Error("no machine around this view");
  return world;
}

export function useHome(): Home {
  const { home } = useWorld();
  return useSyncExternalStore(home.subscribe, home.get);
}

export function useFleet(): Fleet {
  const { fleet } = useApp();
  return useSyncExternalStore(fleet.subscribe, fleet.get);
}

/** Carries something out and says how it went. Resolves with whether it did. */
export function useDo(): <T>(
  what: string | undefined | ((answer: T) => string),
  work: () => Promise<T>,
) => Promise<boolean> {
  const { notes } = useApp();
  return async (what, work) => {
    try {
      const answer = await work();
      const said = typeof what === "function" ? what(answer) : what;
      if (said !== undefined) notes.dispatch({ type: "say", note: noteOf(said, "good") });
      return true;
    } catch (error) {
      const fix = isWarrenError(error) ? error.fix : undefined;
      notes.dispatch({ type: "say", note: { ...noteOf(messageOf(error), "bad"), fix } });
      return false;
    }
  };
}

const noteOf = (text: string, tone: Note["tone"]): Note => ({ id: Math.random(), text, tone });

export function useRoute(): Route {
  const hash = useSyncExternalStore(watchHash, () => location.hash);
  return routeOf(hash);
}

export function go(route: Route): void {
  location.hash = hashOf(route);
}

function watchHash(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

const TICK_MS = 10_000;

/** The time, for ages; it goes on while the page is seen. */
export function useNow(): number {
  const [nowMs, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}

const SECOND_MS = 1_000;

/** The time, second by second, for what counts down. */
export function useTick(): number {
  const [nowMs, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), SECOND_MS);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}

export function useMedia(query: string): boolean {
  const [list] = useState(() => matchMedia(query));
  return useSyncExternalStore(
    (listener) => {
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    () => list.matches,
  );
}

export const useIsWide = (): boolean => useMedia("(min-width: 800px)");
