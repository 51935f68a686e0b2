import { useLayoutEffect } from "react";
import { hashOfKey, keyOfUnit, type Route } from "../model/route.ts";
import type { Row } from "../model/rows.ts";
import { TAKES_KEYS_AFTER_MS } from "../model/takes-keys.ts";
import { type AppWorld, go, useApp } from "./world.ts";

/** What keys do; `Keys.tsx` says it to the person. They do nothing while somebody types. */
interface AppKeys {
  rows: readonly Row[];
  route: Route;
  over: "palette" | "keys" | undefined;
  setOver: (over: "palette" | "keys" | undefined) => void;
}

/** A key that is held says them again and again, to whatever stands there by then. */
const ONCE = ["a", "A", "d"];

export function useAppKeys({ rows, route, over, setOver }: AppKeys): void {
  const { questions } = useApp();
  // Not after the paint: whoever sees the app may press a key.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() === "k" && (event.metaKey || event.ctrlKey) && !event.shiftKey && !event.altKey) {
        if (event.ctrlKey && isInTerminal(event.target)) return; // there it is the program's
        event.preventDefault();
        return setOver(over === "palette" ? undefined : "palette");
      }
      if (over !== undefined || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      if (event.repeat && ONCE.includes(event.key)) return;
      if (perform(event.key, { rows, route, setOver, questions })) event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [rows, route, over, setOver, questions]);
}

type Questions = AppWorld["questions"];

function perform(
  key: string,
  { rows, route, setOver, questions }: Omit<AppKeys, "over"> & { questions: Questions },
): boolean {
  switch (key) {
    case "j":
    case "ArrowDown":
      return route.page === "inbox" ? stepCards(1) : step(rows, route, 1);
    case "k":
    case "ArrowUp":
      return route.page === "inbox" ? stepCards(-1) : step(rows, route, -1);
    case "Enter":
      return focusUnit();
    case "/":
      document.querySelector<HTMLElement>("#search")?.focus();
      return true;
    case "Escape":
      go({ page: "units" });
      return true;
    case "i":
      go({ page: "inbox" });
      return true;
    case "m":
      go({ page: "mail" });
      return true;
    case "n":
      go({ page: "new" });
      return true;
    case "h":
      go({ page: "hubs" });
      return true;
    case "o":
      go({ page: "outbox" });
      return true;
    case ",":
      go({ page: "settings" });
      return true;
    case "a":
      return answerQuestion("allow_once", questions);
    case "A":
      return answerQuestion("allow_always", questions);
    case "d":
      if (!answerQuestion("reject_once", questions)) go({ page: "devices" });
      return true;
    case "?":
      setOver("keys");
      return true;
    default:
      return false;
  }
}

/** Among those that the list shows. */
function step(rows: readonly Row[], route: Route, by: number): boolean {
  const current = route.page === "unit" ? keyOfUnit(route) : undefined;
  const at = rows.findIndex(({ key }) => key === current);
  const next = rows[at === -1 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))];
  if (!next) return false;
  location.hash = hashOfKey(next.key);
  return true;
}

/** In the inbox: among what waits there. */
function stepCards(by: number): boolean {
  const cards = [...document.querySelectorAll<HTMLElement>(".inbox .permission")];
  const at = cards.findIndex((card) => card.contains(document.activeElement));
  const next = cards[at === -1 ? 0 : Math.min(cards.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
  return next !== undefined;
}

/** The question that has the focus, or the only one of the page; never one that has just come, or has just become the only one. True: there is such a question, whatever it can be answered with. */
function answerQuestion(kind: string, { goneMs }: Questions): boolean {
  const cards = [...document.querySelectorAll<HTMLElement>(".page .permission")];
  const only = cards.length === 1 && performance.now() - goneMs >= TAKES_KEYS_AFTER_MS ? cards[0] : undefined;
  const card = cards.find((one) => one.contains(document.activeElement)) ?? only;
  if (card?.dataset.takesKeys === "true") card.querySelector<HTMLButtonElement>(`[data-choice="${kind}"]`)?.click();
  return cards.length > 0;
}

function focusUnit(): boolean {
  if (document.activeElement instanceof HTMLAnchorElement || document.activeElement instanceof HTMLButtonElement)
    return false;
  const target = document.querySelector<HTMLElement>(".xterm-helper-textarea, .permission .primary, .prompt textarea");
  target?.focus();
  return target !== null;
}

const isInTerminal = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest(".xterm") !== null;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest("input, textarea, select, .xterm") !== null;
