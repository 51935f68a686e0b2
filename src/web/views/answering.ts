import { useSyncExternalStore } from "react";
import { isSettled, type OutboxItem } from "../../client/remote/outbox-item.ts";
import type { Question } from "../model/asked.ts";
import { answer } from "../store/answer.ts";
import type { ShownMachine } from "./machines.ts";
import { useApp, useDo } from "./world.ts";

/** Items of the outbox, as they are. */
export function useOutboxItems(): readonly OutboxItem[] {
  const { remote } = useApp();
  return useSyncExternalStore(remote?.items.subscribe ?? nothing, remote?.items.get ?? none);
}

/** The answer to a question that waits for its machine, or that it has refused since. */
export const answerInOutbox = (items: readonly OutboxItem[], machine: string, { question, session }: Question) =>
  items.findLast(
    (item) =>
      item.machine === machine &&
      item.unit === session &&
      item.approval?.question === question.id &&
      (!isSettled(item) || item.state.kind === "failed"),
  );

/** Answers a question, now or by what is left for the machine. Resolves with whether that is done. */
export function useAnswer(): (machine: ShownMachine, question: Question, choice: string) => Promise<boolean> {
  const { version, remote } = useApp();
  const perform = useDo();
  return ({ place, isLive }, question, choice) =>
    perform(undefined, () =>
      answer({
        machine: place.machine,
        version,
        isLive,
        outbox: remote?.coordinator?.outbox,
        question,
        choice,
        nowMs: Date.now(),
      }),
    );
}

const nothing = (): (() => void) => () => {};
const NONE: readonly OutboxItem[] = [];
const none = (): readonly OutboxItem[] => NONE;
