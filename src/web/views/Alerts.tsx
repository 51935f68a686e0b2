import { type ReactNode, useEffect, useRef } from "react";
import type { Row } from "../model/rows.ts";
import { useSettings } from "./settings.tsx";
import { playTone } from "./tone.ts";

/** Says that somebody begins to need the person, as the settings want it: aloud to screen readers always. */
export function Alerts({ rows }: { rows: readonly Row[] }): ReactNode {
  const { sounds, notifications } = useSettings();
  const known = useRef<ReadonlySet<string>>(undefined);
  const waiting = rows.filter(({ needsYou }) => needsYou);
  useEffect(() => {
    const before = known.current;
    known.current = new Set(waiting.map(({ key }) => key));
    const fresh = before === undefined ? [] : waiting.filter(({ key }) => !before.has(key));
    if (fresh.length === 0) return;
    if (sounds) playTone();
    if (notifications && document.hidden) void notify(fresh).catch(() => {}); // the browser has its own mind
  });
  return (
    <p className="unseen" aria-live="polite">
      {waiting.length > 0 ? wordsOf(waiting) : ""}
    </p>
  );
}

const wordsOf = (waiting: readonly Row[]): string =>
  waiting.length === 1 ? `${waiting[0]!.name} needs you` : `${waiting.length} need you`;

/** By the service worker where there is one: phones show no other. What is asked is not in it, since it stands on locked screens. */
async function notify(fresh: readonly Row[]): Promise<void> {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  const options = { tag: "warren-needs-you", icon: "/icon.svg" };
  const registration = await navigator.serviceWorker?.getRegistration();
  if (registration) return registration.showNotification(wordsOf(fresh), options);
  new Notification(wordsOf(fresh), options).onclick = () => window.focus();
}
