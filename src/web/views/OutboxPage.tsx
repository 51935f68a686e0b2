import { type FormEvent, type ReactNode, useState } from "react";
import type { Outbox } from "../../client/remote/outbox.ts";
import { sessionsOf } from "../model/home.ts";
import { type NameOf, type OutboxLine, outboxGroups, withText } from "../model/outbox-lines.ts";
import { plainText } from "../model/plain-text.ts";
import { age, duration } from "../model/text.ts";
import { useOutboxItems } from "./answering.ts";
import { CopyCommand } from "./CopyCommand.tsx";
import { FormActions } from "./FormActions.tsx";
import { machineWords } from "./machines.ts";
import { useApp, useDo, useFleet, useNow } from "./world.ts";

/** What was asked of machines that were away, until it is known what became of it. */
export function OutboxPage(): ReactNode {
  const items = useOutboxItems();
  const { machines, tab } = useFleet();
  const { remote } = useApp();
  const groups = outboxGroups(items, {
    machineName: (id) => {
      const known = machines.get(id);
      return known ? machineWords(known) : `machine ${id.slice(0, 8)}`;
    },
    unitName: nameOf(machines),
  });
  return (
    <div className="scroll outbox">
      <h1>Outbox</h1>
      {tab === "other-tab" && (
        <p className="words tone-attention">◌ Another tab of this browser sends what waits; it is changed there.</p>
      )}
      {groups.length === 0 && tab !== "other-tab" && (
        <p className="empty">
          Nothing waits. What you ask of a machine that is away stands here until it is there, for a week at most: the
          browser keeps it, also when it is closed.
        </p>
      )}
      {groups.map(({ machine, name, lines }) => (
        <section key={machine} aria-label={`For ${name}`}>
          <h2>
            For {name}
            <SendNow machine={machine} isOver={lines.every(({ isOver }) => isOver)} />
            <PutAway ids={lines.filter(({ state }) => state.word === "done").map(({ id }) => id)} />
          </h2>
          <ul className="cards">
            {lines.map((line) => (
              <Line key={line.id} line={line} outbox={remote?.coordinator?.outbox} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

/** Looks for the machine now; what waits goes when it is there. */
function SendNow({ machine, isOver }: { machine: string; isOver: boolean }): ReactNode {
  const { remote, fleet } = useApp();
  const perform = useDo();
  if (isOver || !remote?.coordinator) return null;
  const send = async (): Promise<void> => {
    fleet.place(machine)?.machine.hurry();
    await remote.coordinator?.outbox?.flush(machine);
  };
  return (
    <button type="button" className="quiet" onClick={() => void perform(undefined, send)}>
      Send now
    </button>
  );
}

function PutAway({ ids }: { ids: readonly string[] }): ReactNode {
  const { remote } = useApp();
  const perform = useDo();
  const outbox = remote?.coordinator?.outbox;
  if (ids.length === 0 || !outbox) return null;
  const putAway = async (): Promise<void> => {
    for (const id of ids) await outbox.remove(id);
    remote?.items.dispatch(outbox.items());
  };
  return (
    <button type="button" className="quiet" onClick={() => void perform(undefined, putAway)}>
      Put away what is done
    </button>
  );
}

function Line({ line, outbox }: { line: OutboxLine; outbox: Outbox | undefined }): ReactNode {
  const nowMs = useNow();
  const [isEditing, setEditing] = useState(false);
  const { what, text, state, detail, fix, createdMs, deadlineMs } = line;
  return (
    <li className="card item" aria-label={what}>
      <p className="item-head">
        <b>{what}</b>{" "}
        <span className={`tone-${state.tone}`}>
          <span aria-hidden="true">{state.glyph}</span> {state.word}
        </span>
        <time className="age" dateTime={new Date(createdMs).toISOString()} title={new Date(createdMs).toLocaleString()}>
          {age(createdMs, nowMs)}
        </time>
      </p>
      {text !== undefined && !isEditing && <p className="plain quoted">{plainText(text)}</p>}
      {isEditing && <Edit line={line} outbox={outbox} onOver={() => setEditing(false)} />}
      <p className={state.tone === "bad" ? "tone-bad" : "project"}>
        {detail} {deadlineMs !== undefined && <Deadline leftMs={deadlineMs - nowMs} />}
      </p>
      {fix !== undefined && <CopyCommand command={fix} />}
      {!isEditing && <Actions line={line} outbox={outbox} onEdit={() => setEditing(true)} />}
    </li>
  );
}

const Deadline = ({ leftMs }: { leftMs: number }): ReactNode =>
  leftMs <= 0 ? "Its time is over." : `It is not done later than in ${timeLeft(leftMs)}.`;

const DAY_MS = 24 * 60 * 60 * 1_000;
const timeLeft = (leftMs: number): string => {
  if (leftMs < 1_000) return "a second";
  return leftMs < 2 * DAY_MS ? duration(leftMs) : `${Math.floor(leftMs / DAY_MS)} days`;
};

function Actions({
  line,
  outbox,
  onEdit,
}: {
  line: OutboxLine;
  outbox: Outbox | undefined;
  onEdit: () => void;
}): ReactNode {
  const { remote } = useApp();
  const perform = useDo();
  const { id, isHere, isOver, field, what } = line;
  if (!outbox || !(isHere || isOver)) return null;
  const remove = (): void =>
    void perform(undefined, async () => {
      await outbox.remove(id);
      remote?.items.dispatch(outbox.items());
    });
  return (
    <div className="actions">
      {field !== undefined && (
        <button type="button" aria-label={`Edit: ${what}`} onClick={onEdit}>
          Edit
        </button>
      )}
      <button type="button" aria-label={`${isOver ? "Put away" : "Take back"}: ${what}`} onClick={remove}>
        {isOver ? "Put away" : "Take back"}
      </button>
    </div>
  );
}

function Edit({
  line,
  outbox,
  onOver,
}: {
  line: OutboxLine;
  outbox: Outbox | undefined;
  onOver: () => void;
}): ReactNode {
  const [text, setText] = useState(line.text ?? "");
  const perform = useDo();
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const item = outbox?.items().find(({ id }) => id === line.id);
    if (item && (await perform(undefined, async () => outbox?.edit(item.id, withText(item, text))))) onOver();
    if (!item) onOver(); // it was put away meanwhile
  };
  return (
    <form className="form" onSubmit={(event) => void save(event)}>
      <textarea
        value={text}
        rows={Math.min(8, text.split("\n").length + 1)}
        aria-label={line.what}
        onChange={({ target }) => setText(target.value)}
      />
      <FormActions isDisabled={text.trim() === ""} onCancel={onOver}>
        Keep
      </FormActions>
    </form>
  );
}

const nameOf =
  (machines: ReturnType<typeof useFleet>["machines"]): NameOf =>
  (machine, unit) => {
    const home = machines.get(machine)?.home;
    if (unit === undefined) return "";
    if (!home) return unit;
    const session = sessionsOf(home).find(({ id }) => id === unit);
    return session?.name ?? home.jobs.get(unit)?.name ?? home.recorded.get(unit)?.row.name ?? unit;
  };
