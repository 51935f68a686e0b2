import type { ReactNode } from "react";
import type { OutboxItem } from "../../client/remote/outbox-item.ts";
import type { Question } from "../model/asked.ts";
import { answerInOutbox, useAnswer, useOutboxItems } from "./answering.ts";
import { Countdown } from "./Countdown.tsx";
import { MayNot } from "./MayNot.tsx";
import { type ShownMachine, useMachine } from "./machines.ts";
import { PermissionCard } from "./PermissionCard.tsx";
import { useApp, useDo } from "./world.ts";

/** A question as it can be answered from here: at once, by an approval that is left for its machine, or not at all, and then it says why. */
export function QuestionCard({
  machineId,
  question,
  where,
}: {
  machineId: string;
  question: Question;
  where?: ReactNode;
}): ReactNode {
  const machine = useMachine(machineId);
  const answer = useAnswer();
  const left = answerInOutbox(useOutboxItems(), machineId, question);
  if (!machine) return null;
  const waits =
    left && left.state.kind !== "failed" ? <Waits item={left} machine={machine} question={question} /> : undefined;
  const refused = left?.state.kind === "failed" ? left.state.error.error : undefined;
  return (
    <PermissionCard
      question={question.question}
      tool={question.tool}
      directory={question.directory}
      where={
        <>
          {where}
          {refused !== undefined && <p className="tone-bad">✗ Your answer was not taken: {refused}</p>}
          {waits === undefined && !machine.isLive && <Away machine={machine} />}
        </>
      }
      instead={
        waits ??
        (machine.may("approve") ? undefined : (
          <MayNot machine={machine} scope="approve" what="answer what agents ask" />
        ))
      }
      onAnswer={(choice) => answer(machine, question, choice)}
    />
  );
}

function Away({ machine }: { machine: ShownMachine }): ReactNode {
  const { remote } = useApp();
  const canLeave = remote?.coordinator?.outbox !== undefined && remote.coordinator.connectionForMachine(machine.id);
  return (
    <p className="words tone-attention">
      {canLeave
        ? `◌ ${machine.name} is away. An answer waits for it, sealed, for ten minutes, and counts for exactly this.`
        : `◌ ${machine.name} cannot be reached now: an answer would not arrive.`}
    </p>
  );
}

/** The answer is on its way; while it is here alone it can be taken back. */
function Waits({
  item,
  machine,
  question,
}: {
  item: OutboxItem;
  machine: ShownMachine;
  question: Question;
}): ReactNode {
  const { remote } = useApp();
  const perform = useDo();
  const name = question.question.options.find(({ optionId }) => optionId === item.payload.choice)?.name;
  const takeBack = (): void =>
    void perform("The answer is taken back", async () => {
      const outbox = remote?.coordinator?.outbox;
      await outbox?.remove(item.id);
      remote?.items.dispatch(outbox?.items() ?? []);
    });
  return (
    <div className="waits" aria-live="polite">
      <p>
        ◐ <b>{name ?? String(item.payload.choice)}</b> waits for {machine.name}.
      </p>
      <Countdown untilMs={item.approval?.expires_ms ?? item.deadlineMs} />
      {item.state.kind === "queued" && (
        <button type="button" onClick={takeBack}>
          Take it back
        </button>
      )}
    </div>
  );
}
