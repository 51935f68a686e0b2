import { type ReactNode, useMemo } from "react";
import { endOf, isOpen, type Question, questionKey } from "../model/asked.ts";
import { hashOfKey } from "../model/route.ts";
import { idOf, type Row } from "../model/rows.ts";
import { age, when } from "../model/text.ts";
import type { AllAsked } from "../store/asked-feeds.ts";
import { useAsked, useAskedFeeds } from "./asked.tsx";
import { InboxMail } from "./InboxMail.tsx";
import { useMachines } from "./machines.ts";
import { useMail } from "./mail.ts";
import { QuestionCard } from "./QuestionCard.tsx";
import { useNow } from "./world.ts";

/** All that needs somebody, on all machines, the oldest first: what agents ask, who else waits, and mail. */
export function InboxPage({ rows }: { rows: readonly Row[] }): ReactNode {
  const asked = useAsked();
  const mail = useMail();
  const unreadCount = [...mail.values()].reduce((sum, { unread }) => sum + unread.length, 0);
  const waiting = useMemo(() => waitingOf(rows, asked), [rows, asked]);
  const over = useMemo(() => overOf(asked), [asked]);
  return (
    <div className="scroll inbox">
      <h1>Inbox</h1>
      {waiting.length === 0 && unreadCount === 0 && (
        <p className="empty">Nobody needs you. Questions of agents, bells of sessions and mail to you stand here.</p>
      )}
      <ul className="cards" aria-label="Waiting for you">
        {waiting.map((one) => (
          <li key={one.key}>{one.question ? <Asking row={one.row} one={one} /> : <Other row={one.row} />}</li>
        ))}
      </ul>
      <InboxMail mail={mail} />
      {over.length > 0 && <Over over={over} rows={rows} />}
    </div>
  );
}

interface Waiting {
  key: string;
  row: Row;
  machine: string;
  question: Question | undefined;
  sinceMs: number;
}

/** A row that asks several things stands there once for each; one whose question is not known yet by itself. */
function waitingOf(rows: readonly Row[], asked: AllAsked): Waiting[] {
  const found = rows.flatMap((row): Waiting[] => {
    const { machine, unit } = row;
    const session = idOf(unit);
    const questions = [...(asked.get(machine)?.values() ?? [])].filter((one) => one.session === session && isOpen(one));
    if (!row.needsYou) return []; // what its conversation still shows as open is over in a moment
    const whole: Waiting = { key: row.key, row, machine, question: undefined, sinceMs: row.sinceMs };
    if (questions.length === 0) return [whole];
    return questions.map((question) => ({
      ...whole,
      key: `${row.key} ${question.question.id}`,
      question,
      sinceMs: Date.parse(question.question.at) || row.sinceMs,
    }));
  });
  return found.sort((a, b) => (a.sinceMs || 0) - (b.sinceMs || 0));
}

function Asking({ row, one: { machine, question } }: { row: Row; one: Waiting }): ReactNode {
  return <QuestionCard machineId={machine} question={question!} where={<Where row={row} machine={machine} />} />;
}

/** Who asks, on which machine, since when. */
function Where({ row, machine }: { row: Row; machine: string }): ReactNode {
  const nowMs = useNow();
  const shown = useMachines().find(({ id }) => id === machine);
  const { icon, name, sinceMs, key, asOfMs } = row;
  return (
    <p className="who-asks">
      <a href={hashOfKey(key)}>
        <span aria-hidden="true">{icon}</span> <b>{name}</b>
      </a>{" "}
      <span className="project">
        on {shown?.name ?? "a machine"} · {age(sinceMs, nowMs)}
        {asOfMs !== undefined && asOfMs > 0 && ` · last confirmed ${when(asOfMs, nowMs)}`}
      </span>
    </p>
  );
}

/** A bell, a job that is stuck, or an agent of which no more is known. */
function Other({ row }: { row: Row }): ReactNode {
  const { state, detail, project, key, machine } = row;
  return (
    <article className="card" aria-label={row.name}>
      <Where row={row} machine={machine} />
      <p className="plain">
        <span className={`tone-${state.tone}`}>
          <span aria-hidden="true">{state.glyph}</span> {state.word}
        </span>{" "}
        {detail}
      </p>
      {project !== "" && <p className="project">{project}</p>}
      <div className="actions">
        <a className="button" href={hashOfKey(key)}>
          Open
        </a>
      </div>
    </article>
  );
}

interface OverQuestion {
  machine: string;
  question: Question;
}

function overOf(asked: AllAsked): OverQuestion[] {
  return [...asked]
    .flatMap(([machine, all]) =>
      [...all.values()].filter((one) => !isOpen(one)).map((question) => ({ machine, question })),
    )
    .sort((a, b) => b.question.overMs! - a.question.overMs!);
}

/** So that nobody wonders where a question went: who answered it, here or elsewhere. */
function Over({ over, rows }: { over: readonly OverQuestion[]; rows: readonly Row[] }): ReactNode {
  const feeds = useAskedFeeds();
  const nowMs = useNow();
  return (
    <section aria-label="Answered">
      <h2>Answered</h2>
      <ul className="history answered">
        {over.map(({ machine, question }) => {
          const key = questionKey(question.session, question.question.id);
          return (
            <li key={`${machine} ${key}`}>
              <span>
                <b>{endOf(question)}</b> · {nameIn(rows, machine, question.session)} {question.question.title}{" "}
                <span className="age">{age(question.overMs!, nowMs)}</span>
              </span>
              <button
                type="button"
                className="quiet"
                aria-label={`Put away: ${question.question.title}`}
                onClick={() => feeds.putAway(machine, key)}
              >
                ×
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

const nameIn = (rows: readonly Row[], machine: string, session: string): string => {
  const row = rows.find((one) => one.machine === machine && idOf(one.unit) === session);
  return row ? `${row.name}:` : "";
};
