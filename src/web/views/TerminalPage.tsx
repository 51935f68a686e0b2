import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Session } from "../../protocol/units.ts";
import type { ShownTerminal, TerminalNews } from "../terminal/shown-terminal.ts";
import { CopyCommand } from "./CopyCommand.tsx";
import { KeyBar } from "./KeyBar.tsx";
import { MayNot } from "./MayNot.tsx";
import { useMachine } from "./machines.ts";
import { NotLoaded } from "./NotLoaded.tsx";
import { useSettings } from "./settings.tsx";
import { useHome, useMedia, useWorld } from "./world.ts";

/** A session's terminal. Its code is loaded when the first one is opened. */
export function TerminalPage({ session }: { session: Session }): ReactNode {
  const { machine, version, opening } = useWorld();
  const isThere = useHome().way.kind === "live";
  const box = useRef<HTMLDivElement>(null);
  const shown = useRef<ShownTerminal>(undefined);
  const [news, setNews] = useState<TerminalNews>({ kind: "loading" });
  const [isMissing, setMissing] = useState(false);
  const [paste, setPaste] = useState<string>();
  const { appearance, keyBar, terminalFontPx } = useSettings();
  const isDark = useMedia("(prefers-color-scheme: dark)");
  const isTouch = useMedia("(pointer: coarse), (max-width: 799px)");
  const { id } = session;
  const isViewer = useMachine(machine.id)?.may("type") === false;
  const round = useRound(isThere, news.kind === "failed");
  useEffect(() => {
    if (round === 0) return;
    setNews((now) => (now.kind === "failed" ? { kind: "loading" } : now));
    let isOver = false;
    const show = ({ showTerminal }: typeof import("../terminal/shown-terminal.ts")): void => {
      if (isOver) return;
      shown.current = showTerminal({
        machine,
        version,
        session: id,
        box: box.current!,
        fontPx: terminalFontPx || undefined,
        wantsFocus: opening.wantsFocus,
        isViewer,
        onNews: setNews,
        onPaste: setPaste,
      });
      opening.wantsFocus = false;
    };
    void import("../terminal/shown-terminal.ts").then(show, () => setMissing(true));
    return () => {
      isOver = true;
      shown.current?.close();
      shown.current = undefined;
    };
  }, [machine, version, opening, id, terminalFontPx, isViewer, round]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: colours change with the theme
  useEffect(() => shown.current?.takeColours(), [isDark, appearance]);
  if (isMissing) return <NotLoaded />;
  return (
    <div className="terminal">
      <Words news={news} isThere={isThere} onTake={() => shown.current?.takeControl()} />
      <div className="screen" ref={box} />
      {paste !== undefined && (
        <div className="card" role="alertdialog" aria-label="Paste">
          <p>Paste {paste.length.toLocaleString("en")} characters?</p>
          <div className="actions">
            <button
              type="button"
              className="primary"
              onClick={() => {
                shown.current?.paste(paste);
                setPaste(undefined);
              }}
            >
              Paste
            </button>
            <button type="button" onClick={() => setPaste(undefined)}>
              Cancel
            </button>
          </div>
        </div>
      )}
      {!isViewer && (keyBar === "always" || (keyBar === "touch" && isTouch)) && (
        <KeyBar onKeys={(keys) => shown.current?.press(keys)} onSticky={(keys) => shown.current?.hold(keys)} />
      )}
    </div>
  );
}

/** Which terminal it is: none (0) before its machine has been there, and another one when that comes back after it could not be opened. */
function useRound(isThere: boolean, hasFailed: boolean): number {
  const [round, setRound] = useState(0);
  const wasAway = useRef(true);
  useEffect(() => {
    if (!isThere) wasAway.current = true;
    else if (wasAway.current && (round === 0 || hasFailed)) {
      wasAway.current = false;
      setRound(round + 1);
    }
  }, [isThere, hasFailed, round]);
  return round;
}

function Words({ news, isThere, onTake }: { news: TerminalNews; isThere: boolean; onTake: () => void }): ReactNode {
  switch (news.kind) {
    case "live":
      return null;
    case "loading":
      return (
        <p className="words">
          {isThere ? "Loading the terminal." : "What it shows can be seen when its machine is there."}
        </p>
      );
    case "other":
      return (
        <p className="words">
          Somebody else is typing.
          <button type="button" onClick={onTake}>
            Take over
          </button>
        </p>
      );
    case "viewing":
      return <Viewing />;
    case "lost":
      return <p className="words tone-attention">◌ The connection is cut; what you type is sent when it is back.</p>;
    case "ended":
      return <p className="words">{news.text}</p>;
    case "failed":
      return (
        <>
          <p className="words tone-bad">✗ {news.text}</p>
          {news.fix !== undefined && <CopyCommand command={news.fix} />}
        </>
      );
  }
}

function Viewing(): ReactNode {
  const machine = useMachine(useWorld().machine.id);
  return machine && <MayNot machine={machine} scope="type" what="type" />;
}
