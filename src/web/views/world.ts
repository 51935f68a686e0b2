import { createContext, useContext, useEffect, useState, useSyncExternalStore } from "react";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { Machine } from "../link/machine.ts";
import type { Home, HomeAction } from "../model/home.ts";
import { hashOf, type Route, routeOf } from "../model/route.ts";
import type { HomeFeed } from "../store/home-feed.ts";
import type { MailFeed } from "../store/mail-feed.ts";
import type { Store } from "../store/store.ts";

/** What every view may use; made once, in `main.tsx`. */
export interface World {
  machine: Machine;
  version: string;
  home: Store<Home, HomeAction>;
  feed: HomeFeed;
  mail: MailFeed;
  notes: Store<Note[], NoteAction>;
  /** The unit that is opened next was opened to be typed into: by a click or enter, not in passing. */
  opening: { wantsFocus: boolean };
}

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

export const WorldContext = createContext<World | undefined>(undefined);

export function useWorld(): World {
  const world = useContext(WorldContext);
  if (!world) throw new Error("no world around this view");
  return world;
}

export function useHome(): Home {
  const { home } = useWorld();
  return useSyncExternalStore(home.subscribe, home.get);
}

/** Carries something out and says how it went. Resolves with whether it did. */
export function useDo(): (what: string | undefined, work: () => Promise<unknown>) => Promise<boolean> {
  const { notes } = useWorld();
  return async (what, work) => {
    try {
      await work();
      if (what !== undefined) notes.dispatch({ type: "say", note: noteOf(what, "good") });
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
