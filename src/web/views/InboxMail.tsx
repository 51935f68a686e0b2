import type { ReactNode } from "react";
import type { ShownMail } from "../model/left-mail.ts";
import { when } from "../model/text.ts";
import { MailMessageView } from "./MailMessageView.tsx";
import { machineWords } from "./machines.ts";
import { OfMachine } from "./OfMachine.tsx";
import { useFleet, useNow } from "./world.ts";

/** Unread mail to the person, of each machine's mailbox; of one that is away what it has left. */
export function InboxMail({ mail }: { mail: ReadonlyMap<string, ShownMail> }): ReactNode {
  const { machines } = useFleet();
  const nowMs = useNow();
  return [...machines.values()].map((machine) => {
    const { unread = [], left, messages = [] } = mail.get(machine.id) ?? {};
    if (unread.length === 0) return null;
    const title = machines.size > 1 ? `Mail to you on ${machineWords(machine)}` : "Mail to you";
    const cut = new Set(messages.filter(({ isCut }) => isCut).map(({ message }) => message.seq));
    return (
      <section key={machine.id} aria-label={title}>
        <h2>{title}</h2>
        {left && <p className="words">◌ As its machine left it, as of {when(left.atMs, nowMs)}.</p>}
        <OfMachine id={machine.id}>
          <ul className="cards">
            {unread.map((message) => (
              <MailMessageView
                key={message.seq}
                message={message}
                isUnread
                isLeft={left !== undefined}
                isCut={cut.has(message.seq)}
              />
            ))}
          </ul>
        </OfMachine>
      </section>
    );
  });
}
