import { useEffect } from "react";
import type { Route } from "../model/route.ts";
import type { Row } from "../model/rows.ts";
import { go } from "./world.ts";

/** Every key of the app, as `?` shows them. They do nothing while somebody types. */
export const KEYS = [
  ["j, ↓", "the next unit"],
  ["k, ↑", "the one before"],
  ["enter", "open it, and type"],
  ["/", "search"],
  ["esc", "back to the list"],
  ["i", "inbox"],
  ["m", "mail"],
  ["n", "new session"],
  ["⌘K, ctrl K", "palette: go anywhere, do anything"],
  ["?", "these keys"],
] as const;

interface AppKeys {
  rows: readonly Row[];
  route: Route;
  over: "palette" | "keys" | undefined;
  setOver: (over: "palette" | "keys" | undefined) => void;
}

export function useAppKeys({ rows, route, over, setOver }: AppKeys): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() === "k" && (event.metaKey || event.ctrlKey) && !event.shiftKey && !event.altKey) {
        if (event.ctrlKey && isInTerminal(event.target)) return; // there it is the program's
        event.preventDefault();
        return setOver(over === "palette" ? undefined : "palette");
      }
      if (over !== undefined || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      if (perform(event.key, { rows, route, setOver })) event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [rows, route, over, setOver]);
}

function perform(key: string, { rows, route, setOver }: Omit<AppKeys, "over">): boolean {
  switch (key) {
    case "j":
    case "ArrowDown":
      return step(rows, route, 1);
    case "k":
    case "ArrowUp":
      return step(rows, route, -1);
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
    case "?":
      setOver("keys");
      return true;
    default:
      return false;
  }
}

/** Among those that the list shows. */
function step(rows: readonly Row[], route: Route, by: number): boolean {
  const current = route.page === "unit" ? `${route.kind}/${route.id}` : undefined;
  const at = rows.findIndex(({ key }) => key === current);
  const next = rows[at === -1 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))];
  if (!next) return false;
  location.hash = `#/${next.key.split("/").map(encodeURIComponent).join("/")}`;
  return true;
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
