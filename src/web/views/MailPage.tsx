import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import type { Participant } from "../../protocol/mail-units.ts";
import { presenceWord } from "../../protocol/mail-words.ts";
import type { ShownMail } from "../model/left-mail.ts";
import { hashOf } from "../model/route.ts";
import { plural, when } from "../model/text.ts";
import { unsent } from "../store/drafts.ts";
import { ME } from "../store/mail-feed.ts";
import { CopyCommand } from "./CopyCommand.tsx";
import { MailMessageView } from "./MailMessageView.tsx";
import { useMachines } from "./machines.ts";
import { useMail } from "./mail.ts";
import { type SendingMail, useSendingMail } from "./sending-mail.ts";
import { WaitingItems } from "./WaitingItems.tsx";
import { useHome, useNow, useRoute, useWorld } from "./world.ts";

/** The mailbox of a home: what was written, to and by whom, and a message of one's own. Of a machine that is away what it has left, to be read. */
export function MailPage({ withName }: { withName: string | undefined }): ReactNode {
  const { mail } = useHome();
  const { mail: feed, machine } = useWorld();
  useEffect(() => feed.hurry(), [feed]);
  const shown = useMail().get(machine.id) ?? { messages: [], unread: [] };
  const { left } = shown;
  const sending = useSendingMail();
  const names = left ? namesIn(shown.messages) : mail.participants.map(({ name }) => name);
  return (
    <div className="scroll">
      <h1>Mail{withName === undefined ? "" : ` with ${withName}`}</h1>
      <Machines />
      {left && <AsLeft left={left} mayWait={sending.mayWait} />}
      {(!left || sending.mayWait) && <NewMessage withName={withName} names={names} sending={sending} />}
      <WaitingItems items={sending.waiting.filter(({ type }) => type === "mail.send")} name={sending.name} />
      {names.length > 0 && (
        <p className="names">
          {withName !== undefined && <NameLink>all</NameLink>}
          {left
            ? names.map((name) => <NameLink key={name} name={name} withName={withName} />)
            : mail.participants.map((one) => <ParticipantLink key={one.name} participant={one} withName={withName} />)}
        </p>
      )}
      <Messages mail={shown} withName={withName} />
    </div>
  );
}

function Messages({ mail, withName }: { mail: ShownMail; withName: string | undefined }): ReactNode {
  const { state } = useHome().mail;
  const unread = new Set(mail.unread.map(({ seq }) => seq));
  const shown = mail.messages.filter(
    ({ message }) => withName === undefined || message.from === withName || message.to === withName,
  );
  if (shown.length === 0)
    return (
      <div className="empty">
        <p>
          {state === "away"
            ? "The mailbox does not answer; what was sent is kept."
            : "Nothing was written so far. In a terminal:"}
        </p>
        <CopyCommand command="warren mail send owl 'hello'" />
      </div>
    );
  return (
    <ul className="cards" aria-label={plural(shown.length, "message")}>
      {shown.map(({ message, receipts, isCut = false }) => (
        <MailMessageView
          key={message.seq}
          message={message}
          receipts={receipts}
          isUnread={unread.has(message.seq)}
          isLeft={mail.left !== undefined}
          isCut={isCut}
        />
      ))}
    </ul>
  );
}

function AsLeft({ left, mayWait }: { left: NonNullable<ShownMail["left"]>; mayWait: boolean }): ReactNode {
  const nowMs = useNow();
  return (
    <>
      <p className="words left-mail">
        ◌ As its machine left it, as of {when(left.atMs, nowMs)}.
        {mayWait && " What you write waits for the machine, sealed."}
      </p>
      {left.isIncomplete && <p className="words tone-attention">Some of it has not come; the machine has it.</p>}
    </>
  );
}

/** Where there are several, each has a mailbox of its own. */
function Machines(): ReactNode {
  const { machine } = useWorld();
  const machines = useMachines();
  if (machines.length < 2) return null;
  return (
    <p className="names">
      {machines.map(({ id, name }) => (
        <a key={id} href={hashOf({ page: "mail", machine: id })} aria-current={id === machine.id ? "page" : undefined}>
          {name}
        </a>
      ))}
    </p>
  );
}

/** One who is not there says why: gone, or never there. */
function ParticipantLink({
  participant,
  withName,
}: {
  participant: Participant;
  withName: string | undefined;
}): ReactNode {
  const { name, unread } = participant;
  const word = presenceWord(participant);
  const isAway = word === "gone" || word === "unknown";
  return (
    <NameLink name={name} withName={withName}>
      {isAway ? "◌" : "○"} {name}
      {unread > 0 && ` (${unread})`}
      {isAway && <span className="project"> {word}</span>}
    </NameLink>
  );
}

/** To what was written with one of them, or with all. */
function NameLink({
  name,
  withName,
  children = name,
}: {
  name?: string;
  withName?: string | undefined;
  children?: ReactNode;
}): ReactNode {
  const route = useRoute();
  const machine = route.page === "mail" && route.machine !== undefined ? { machine: route.machine } : {};
  return (
    <a
      href={hashOf({ page: "mail", ...machine, ...(name === undefined ? {} : { with: name }) })}
      aria-current={name !== undefined && name === withName ? "page" : undefined}
    >
      {children}
    </a>
  );
}

/** Those who have written to the person, or were written to. */
const namesIn = (messages: ShownMail["messages"]): string[] =>
  [...new Set(messages.flatMap(({ message }) => [message.from, message.to]))].filter((name) => name !== ME).sort();

function NewMessage({
  withName,
  names,
  sending: { mayWait, name, send: sendTo },
}: {
  withName: string | undefined;
  names: readonly string[];
  sending: SendingMail;
}): ReactNode {
  const [to, setTo] = useState(withName ?? "");
  const [body, setBody] = useState("");
  const [isBusy, setBusy] = useState(false);
  useEffect(() => setTo(withName ?? ""), [withName]);
  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    if (await sendTo(to.split(/[\s,]+/).filter(Boolean), body)) setBody((now) => unsent(now, body));
    setBusy(false);
  };
  return (
    <form className="form" onSubmit={(event) => void send(event)}>
      <label>
        To
        <input
          value={to}
          list="participants"
          autoComplete="off"
          required
          onChange={({ target }) => setTo(target.value)}
        />
      </label>
      <datalist id="participants">
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <label>
        Message
        <textarea
          value={body}
          rows={3}
          required
          placeholder={mayWait ? `Waits until ${name} is there` : undefined}
          onChange={({ target }) => setBody(target.value)}
        />
      </label>
      <button type="submit" className="primary" disabled={isBusy}>
        {isBusy ? "Sending …" : mayWait ? "Send later" : "Send"}
      </button>
    </form>
  );
}
