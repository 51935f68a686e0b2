import type { ReactNode } from "react";
import type { Row } from "../model/rows.ts";
import { age } from "../model/text.ts";
import { askSession } from "../store/ask-session.ts";
import { MailMessageView } from "./MailMessageView.tsx";
import { useDo, useHome, useNow, useWorld } from "./world.ts";

/** All that needs somebody, the oldest first. */
export function InboxPage({ rows }: { rows: readonly Row[] }): ReactNode {
  const { mail } = useHome();
  const waiting = rows.filter(({ needsYou }) => needsYou).sort((a, b) => a.sinceMs - b.sinceMs);
  return (
    <div className="scroll inbox">
      <h1>Inbox</h1>
      {waiting.length === 0 && mail.unread.length === 0 && (
        <p className="empty">Nobody needs you. Questions of agents, bells of sessions and mail to you stand here.</p>
      )}
      <ul className="cards">
        {waiting.map((row) => (
          <Waiting key={row.key} row={row} />
        ))}
      </ul>
      {mail.unread.length > 0 && (
        <section aria-label="Unread mail">
          <h2>Mail to you</h2>
          <ul className="cards">
            {mail.unread.map((message) => (
              <MailMessageView key={message.seq} message={message} isUnread />
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function Waiting({ row }: { row: Row }): ReactNode {
  const world = useWorld();
  const perform = useDo();
  const nowMs = useNow();
  const { unit, icon, name, detail, project, sinceMs, state, key } = row;
  const href = `#/${key.split("/").map(encodeURIComponent).join("/")}`;
  const answer = (choice: string, done: string): void => {
    if (unit.kind !== "agent") return;
    const { id } = unit.session;
    void perform(done, () => askSession(world, id, "session.answer", { session: id, choice }));
  };
  return (
    <li className="card">
      <p>
        <a href={href}>
          <span aria-hidden="true">{icon}</span> <b>{name}</b>
        </a>{" "}
        <span className={`tone-${state.tone}`}>
          {state.glyph} {state.word}
        </span>{" "}
        <span className="age">{age(sinceMs, nowMs)}</span>
      </p>
      <p className="plain">{detail}</p>
      <p className="project">{project}</p>
      <div className="actions">
        {unit.kind === "agent" && (
          <>
            <button type="button" className="primary" onClick={() => answer("allow", `${name} may`)}>
              Allow once
            </button>
            <button type="button" onClick={() => answer("deny", `${name} may not`)}>
              Deny
            </button>
          </>
        )}
        <a className="button" href={href}>
          Open
        </a>
      </div>
    </li>
  );
}
