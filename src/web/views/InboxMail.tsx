import type { ReactNode } from "react";
import { MailMessageView } from "./MailMessageView.tsx";
import { machineWords } from "./machines.ts";
import { OfMachine } from "./OfMachine.tsx";
import { useFleet } from "./world.ts";

/** Unread mail to the person, of each machine's mailbox. */
export function InboxMail(): ReactNode {
  const { machines } = useFleet();
  const some = [...machines.values()].filter(({ home }) => home.mail.unread.length > 0);
  return some.map((machine) => {
    const title = machines.size > 1 ? `Mail to you on ${machineWords(machine)}` : "Mail to you";
    return (
      <section key={machine.id} aria-label={title}>
        <h2>{title}</h2>
        <OfMachine id={machine.id}>
          <ul className="cards">
            {machine.home.mail.unread.map((message) => (
              <MailMessageView key={message.seq} message={message} isUnread />
            ))}
          </ul>
        </OfMachine>
      </section>
    );
  });
}
