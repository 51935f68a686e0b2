import type { ReactNode } from "react";
import type { RowCounts } from "../model/first-screen.ts";
import { type Fleet, isLive } from "../model/fleet.ts";
import type { Home } from "../model/home.ts";
import { hubCount } from "../model/hub-count.ts";
import { LOCAL } from "../model/rows.ts";
import { when } from "../model/text.ts";
import { waitingCount } from "../model/waiting-count.ts";
import { useOutboxItems } from "./answering.ts";
import { useApp, useFleet, useIsWide, useNow } from "./world.ts";

/** The ways to the machines and hubs as they are, in words; on a desktop the pages as well. */
export function Header({
  counts: { working, needYou: waiting },
  hasMachines,
  onPalette,
  onKeys,
}: {
  counts: RowCounts;
  hasMachines: boolean;
  /** Absent: there is nothing to go to yet. */
  onPalette?: () => void;
  onKeys?: () => void;
}): ReactNode {
  const fleet = useFleet();
  const isWide = useIsWide();
  const unread = [...fleet.machines.values()].reduce((sum, { home }) => sum + home.mail.unread.length, 0);
  const hubs = hubCount(fleet);
  const outboxCount = waitingCount(useOutboxItems());
  return (
    <header className="header">
      <a className="brand" href="#/">
        Warren
      </a>
      <Connection fleet={fleet} />
      {hubs !== undefined && (
        <a className="hub-count" href="#/hubs" title="Hubs: which is connected, and why one is not">
          {hubs}
        </a>
      )}
      {hasMachines && (
        <p className="counts">
          <span className="tone-live" title="working">
            ◉ {working}
          </span>
          {waiting > 0 && (
            <span className="tone-attention" title="need you">
              ◆ {waiting}
            </span>
          )}
        </p>
      )}
      {isWide && (
        <nav className="pages" aria-label="Pages">
          {hasMachines && (
            <>
              <a href="#/inbox">Inbox{waiting > 0 ? ` (${waiting})` : ""}</a>
              <a href="#/mail">Mail{unread > 0 ? ` (${unread})` : ""}</a>
              <a href="#/new">New</a>
            </>
          )}
          <a href="#/hubs">Hubs</a>
          {outboxCount > 0 && <a href="#/outbox">Outbox ({outboxCount})</a>}
          {hasMachines && <a href="#/more">More</a>}
        </nav>
      )}
      {onPalette && (
        <button type="button" className="quiet" onClick={onPalette} title="Go anywhere, do anything">
          {isWide ? "⌘K" : "Go"}
        </button>
      )}
      {isWide && onKeys && (
        <button type="button" className="quiet" onClick={onKeys} title="Keys">
          ?
        </button>
      )}
    </header>
  );
}

function Connection({ fleet }: { fleet: Fleet }): ReactNode {
  const { fleet: store, remote } = useApp();
  const nowMs = useNow();
  const machines = [...fleet.machines.values()];
  if (machines.length === 0) return <p className="connection" />;
  const only = machines.length === 1 ? machines[0]! : undefined;
  const { text, tone, isWhole } = only ? wordsOf(only.home, nowMs) : wordsOfAll(fleet);
  return (
    <p className={`connection tone-${tone}`} aria-live="polite">
      {text}
      {!isWhole && (
        <button type="button" className="quiet" onClick={() => (remote ? remote.askAll() : store.hurry())}>
          Try now
        </button>
      )}
    </p>
  );
}

interface Words {
  text: string;
  tone: string;
  /** There is nothing to be tried again. */
  isWhole: boolean;
}

function wordsOfAll({ machines }: Fleet): Words {
  const all = [...machines.values()];
  const away = all.filter((machine) => !isLive(machine));
  if (away.length === 0) return { text: `○ ${all.length} machines`, tone: "quiet", isWhole: true };
  const refused = away.filter(({ home }) => home.way.kind === "refused");
  if (refused.length > 0) {
    const names = refused.map(({ name }) => name).join(", ");
    const text = `✗ ${all.length - away.length}/${all.length} machines; not let in any more: ${names}`;
    return { text, tone: "bad", isWhole: refused.length === away.length };
  }
  const isComing = away.every(({ home }) => home.way.kind === "connecting");
  const names =
    away.length <= 2 ? `: ${away.map(({ id, name }) => (id === LOCAL ? "this one" : name)).join(", ")}` : "";
  const text = `${all.length - away.length}/${all.length} machines, ${isComing ? "connecting" : "not confirmed"}${names}`;
  return { text: `${isComing ? "◐" : "◌"} ${text}`, tone: isComing ? "quiet" : "attention", isWhole: isComing };
}

function wordsOf({ way, confirmedMs }: Home, nowMs: number): Words {
  const last = confirmedMs === undefined ? "" : `, last confirmed ${when(confirmedMs, nowMs)}`;
  const no = { isWhole: false };
  switch (way.kind) {
    case "live":
      return { text: "○ connected", tone: "quiet", isWhole: true };
    case "connecting":
      return { text: `◐ connecting${last}`, tone: "quiet", isWhole: true };
    case "away":
      return { text: `◌ not connected${last}; what runs keeps running`, tone: "attention", ...no };
    case "no-server":
      return { text: `◌ no server runs${last}; in a terminal: ${way.fix}`, tone: "attention", ...no };
    case "refused":
      return { text: "✗ it does not let this browser in any more", tone: "bad", isWhole: true };
    case "failed":
      return { text: `✗ ${way.text}${way.fix ? ` In a terminal: ${way.fix}` : ""}`, tone: "bad", ...no };
  }
}
