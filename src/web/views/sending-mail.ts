import { isSettled, type OutboxItem } from "../../client/remote/outbox-item.ts";
import type { Recipient } from "../../protocol/mail-units.ts";
import { neverTaken } from "../../protocol/mail-words.ts";
import type { PayloadOf } from "../../protocol/messages.ts";
import { ME } from "../store/mail-feed.ts";
import { useOutboxItems } from "./answering.ts";
import { useMachine } from "./machines.ts";
import { useApp, useDo, useWorld } from "./world.ts";

/** The person's own mail of one machine: at once, or left for the machine while it is away. A message has an id of its own, so that it is sent once. */
export interface SendingMail {
  /** The machine is away, and what is written waits for it. */
  mayWait: boolean;
  /** What waits, or was refused. */
  waiting: readonly OutboxItem[];
  /** The machine's name. */
  name: string;
  /** Resolves with whether it is sent, or kept. */
  send(to: readonly string[], body: string): Promise<boolean>;
  reply(message: { id: string; from: string }, body: string): Promise<boolean>;
}

export function useSendingMail(): SendingMail {
  const { mail, machine } = useWorld();
  const { remote } = useApp();
  const shown = useMachine(machine.id);
  const perform = useDo();
  const outbox = remote?.coordinator?.connectionForMachine(machine.id) && remote.coordinator.outbox;
  const mayWait = outbox !== undefined && shown?.isLive === false && shown.may("type");
  const name = shown?.name ?? machine.name;
  const ask = async <T extends "mail.send" | "mail.reply">(
    type: T,
    { payload, to }: { payload: PayloadOf<T>; to: string },
  ): Promise<boolean> => {
    const isDone = mayWait
      ? await perform(`Waits for ${name}: mail to ${to}`, () =>
          outbox.add({ machine: machine.id, type, payload: payload as Record<string, unknown> }),
        )
      : await perform(
          ({ recipients }) => keptText(to, recipients),
          () => mail.client.request(type, payload as never),
        );
    mail.hurry();
    return isDone;
  };
  const waiting = useOutboxItems().filter((item) => item.machine === machine.id && isShown(item));
  return {
    mayWait,
    waiting,
    name,
    send: (to, body) => ask("mail.send", { payload: { as: ME, to: [...to], body }, to: to.join(", ") }),
    reply: ({ id, from }, body) => ask("mail.reply", { payload: { as: ME, id, from, body }, to: from }),
  };
}

function keptText(to: string, recipients: readonly Recipient[]): string {
  const strangers = recipients.filter(({ known }) => !known).map(({ name }) => name);
  return `Kept for ${to}${strangers.length === 0 ? "" : `; ${neverTaken(strangers.join(", "))}`}`;
}

/** A reply to this very message. */
export const isReplyTo = ({ type, payload }: OutboxItem, { id, from }: { id: string; from: string }): boolean =>
  type === "mail.reply" && payload.id === id && payload.from === from;

const isShown = (item: OutboxItem): boolean =>
  (item.type === "mail.send" || item.type === "mail.reply") && (!isSettled(item) || item.state.kind === "failed");
