import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { plural } from "../model/text.ts";
import { ME } from "../store/mail-feed.ts";
import { CopyCommand } from "./CopyCommand.tsx";
import { MailMessageView } from "./MailMessageView.tsx";
import { useDo, useHome, useWorld } from "./world.ts";

/** The mailbox of the home: what was written, to and by whom, and a message of one's own. */
export function MailPage({ withName }: { withName: string | undefined }): ReactNode {
  const { mail } = useHome();
  const { mail: feed } = useWorld();
  useEffect(() => feed.hurry(), [feed]);
  const unread = new Set(mail.unread.map(({ seq }) => seq));
  const shown = mail.messages.filter(
    ({ message }) => withName === undefined || message.from === withName || message.to === withName,
  );
  return (
    <div className="scroll">
      <h1>Mail{withName === undefined ? "" : ` with ${withName}`}</h1>
      <NewMessage withName={withName} names={mail.participants.map(({ name }) => name)} />
      {mail.participants.length > 0 && (
        <p className="names">
          {withName !== undefined && <a href="#/mail">all</a>}
          {mail.participants.map(({ name, presence, unread: count }) => (
            <a
              key={name}
              href={`#/mail/${encodeURIComponent(name)}`}
              aria-current={name === withName ? "page" : undefined}
            >
              {presence === "gone" ? "◌" : "○"} {name}
              {count > 0 && ` (${count})`}
            </a>
          ))}
        </p>
      )}
      {shown.length === 0 ? (
        <div className="empty">
          <p>
            {mail.state === "away"
              ? "The mailbox does not answer; what was sent is kept."
              : "Nothing was written so far. In a terminal:"}
          </p>
          <CopyCommand command="warren mail send owl 'hello'" />
        </div>
      ) : (
        <ul className="cards" aria-label={plural(shown.length, "message")}>
          {shown.map(({ message, receipts }) => (
            <MailMessageView
              key={message.seq}
              message={message}
              receipts={receipts}
              isUnread={unread.has(message.seq)}
            />
          ))}
        </ul>
      )}
    </div>
  );
}

function NewMessage({ withName, names }: { withName: string | undefined; names: readonly string[] }): ReactNode {
  const { mail } = useWorld();
  const perform = useDo();
  const [to, setTo] = useState(withName ?? "");
  const [body, setBody] = useState("");
  useEffect(() => setTo(withName ?? ""), [withName]);
  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const names = to.split(/[\s,]+/).filter(Boolean);
    const isSent = await perform(`Kept for ${names.join(", ")}`, () =>
      mail.client.request("mail.send", { as: ME, to: names, body }),
    );
    if (isSent) setBody("");
    mail.hurry();
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
        <textarea value={body} rows={3} required onChange={({ target }) => setBody(target.value)} />
      </label>
      <button type="submit" className="primary">
        Send
      </button>
    </form>
  );
}
