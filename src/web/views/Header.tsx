import type { ReactNode } from "react";
import type { HomeWay } from "../model/home.ts";
import type { Row } from "../model/rows.ts";
import { clock } from "../model/text.ts";
import { useHome, useIsWide, useWorld } from "./world.ts";

/** The way to the home as it is, in words; on a desktop the pages as well. */
export function Header({
  rows,
  onPalette,
  onKeys,
}: {
  rows: readonly Row[];
  onPalette: () => void;
  onKeys: () => void;
}): ReactNode {
  const { mail } = useHome();
  const isWide = useIsWide();
  const waiting = rows.filter(({ needsYou }) => needsYou).length;
  const working = rows.filter(({ state }) => state.word === "working").length;
  return (
    <header className="header">
      <a className="brand" href="#/">
        Warren
      </a>
      <Connection />
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
      {isWide && (
        <nav className="pages" aria-label="Pages">
          <a href="#/inbox">Inbox{waiting > 0 ? ` (${waiting})` : ""}</a>
          <a href="#/mail">Mail{mail.unread.length > 0 ? ` (${mail.unread.length})` : ""}</a>
          <a href="#/new">New</a>
        </nav>
      )}
      <button type="button" className="quiet" onClick={onPalette} title="Go anywhere, do anything">
        {isWide ? "⌘K" : "Go"}
      </button>
      {isWide && (
        <button type="button" className="quiet" onClick={onKeys} title="Keys">
          ?
        </button>
      )}
    </header>
  );
}

function Connection(): ReactNode {
  const { way, confirmedMs } = useHome();
  const { feed } = useWorld();
  const { text, tone } = wordsOf(way, confirmedMs);
  return (
    <p className={`connection tone-${tone}`} aria-live="polite">
      {text}
      {way.kind !== "live" && way.kind !== "connecting" && (
        <button type="button" className="quiet" onClick={() => feed.hurry()}>
          Try now
        </button>
      )}
    </p>
  );
}

function wordsOf(way: HomeWay, confirmedMs: number | undefined): { text: string; tone: string } {
  const last = confirmedMs === undefined ? "" : `, last confirmed ${clock(confirmedMs)}`;
  switch (way.kind) {
    case "live":
      return { text: "○ connected", tone: "quiet" };
    case "connecting":
      return { text: `◐ connecting${last}`, tone: "quiet" };
    case "away":
      return { text: `◌ not connected${last}; what runs keeps running`, tone: "attention" };
    case "no-server":
      return { text: `◌ no server runs${last}; in a terminal: ${way.fix}`, tone: "attention" };
    case "refused":
      return { text: "✗ not let in", tone: "bad" };
    case "failed":
      return { text: `✗ ${way.text}${way.fix ? ` In a terminal: ${way.fix}` : ""}`, tone: "bad" };
  }
}
