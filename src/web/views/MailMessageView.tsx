import { type ReactNode, useState } from "react";
import { acknowledgeUpTo } from "../../client/acknowledge-mail.ts";
import { isSettled } from "../../client/remote/outbox-item.ts";
import type { MailMessage } from "../../protocol/mail-units.ts";
import { plainText } from "../model/plain-text.ts";
import { age, plural } from "../model/text.ts";
import { unsent } from "../store/drafts.ts";
import { ME } from "../store/mail-feed.ts";
import { isReplyTo, useSendingMail } from "./sending-mail.ts";
import { WaitingItems } from "./WaitingItems.tsx";
import { useDo, useHome, useNow, useWorld } from "./world.ts";

/** One message; to one of one's own an answer can be written; that it is done can be said while its machine is there. */
export function MailMessageView({
  message,
  isUnread = false,
  isLeft = false,
  isCut = false,
  receipts = [],
}: {
  message: MailMessage;
  isUnread?: boolean;
  /** Its machine is away: an answer waits for it. */
  isLeft?: boolean;
  isCut?: boolean;
  receipts?: readonly { to: string; state: string }[];
}): ReactNode {
  const nowMs = useNow();
  const { from, addressed_to, subject, body, sent_at, kind } = message;
  return (
    <li className={`card mail ${isUnread ? "unread" : ""}`}>
      <p>
        <b>{from}</b> → {addressed_to} {kind === "ask" && <span className="tone-attention">◆ asks</span>}{" "}
        <time className="age" dateTime={sent_at} title={sent_at}>
          {age(Date.parse(sent_at), nowMs)}
        </time>
      </p>
      {subject !== undefined && <p className="subject">{plainText(subject)}</p>}
      <p className="plain">{plainText(body)}</p>
      {isCut && <p className="words">… The rest of this is on the machine.</p>}
      {receipts.length > 0 && from === ME && (
        <p className="project">{receipts.map(({ to, state }) => `${to}: ${state}`).join(", ")}</p>
      )}
      {isUnread && <Answer message={message} isLeft={isLeft} />}
    </li>
  );
}

function Answer({ message, isLeft }: { message: MailMessage; isLeft: boolean }): ReactNode {
  const { mail } = useWorld();
  const perform = useDo();
  const { mayWait, waiting, name, reply: replyTo } = useSendingMail();
  const [text, setText] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const { from, seq } = message;
  const earlier = useHome().mail.unread.filter((one) => one.from === from && one.seq < seq).length;
  const reply = async (): Promise<void> => {
    if (isBusy || text === undefined) return;
    setBusy(true);
    if (await replyTo(message, text)) setText((now) => unsent(now ?? "", text) || undefined);
    setBusy(false);
  };
  const done = async (): Promise<void> => {
    setBusy(true);
    await perform(
      (count) => (count === 0 ? "Another reader has it in hand" : `${plural(count, "message")} of ${from} done`),
      () => acknowledgeUpTo(mail.client, ME, message),
    );
    setBusy(false);
    mail.hurry();
  };
  const replies = waiting.filter((item) => isReplyTo(item, message));
  const told = <WaitingItems items={replies} name={name} />;
  if (replies.some((item) => !isSettled(item)) || (isLeft && !mayWait)) return told;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void reply();
      }}
    >
      {told}
      {text !== undefined && (
        <textarea
          value={text}
          rows={3}
          aria-label={`Answer to ${from}`}
          onChange={({ target }) => setText(target.value)}
        />
      )}
      <div className="actions">
        {text === undefined ? (
          <button type="button" onClick={() => setText("")}>
            Reply
          </button>
        ) : (
          <button type="submit" className="primary" disabled={isBusy || text.trim() === ""}>
            {mayWait ? "Reply later" : "Send reply"}
          </button>
        )}
        {!isLeft && (
          <button type="button" disabled={isBusy} onClick={() => void done()}>
            {earlier === 0 ? "Done" : `Done, with ${earlier} before it`}
          </button>
        )}
      </div>
    </form>
  );
}
