import { type FormEvent, type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Session } from "../../protocol/units.ts";
import { EMPTY_TALK, openQuestions, reduceTalk, type Talk, type TalkAction, toolOf } from "../model/talk.ts";
import { Store } from "../store/store.ts";
import { TalkFeed } from "../store/talk-feed.ts";
import { Item } from "./Item.tsx";
import { PermissionCard } from "./PermissionCard.tsx";
import { useDo, useWorld, type World } from "./world.ts";

/** A conversation with an agent: what was said and done, what it asks, and what is said to it. */
export function ConversationPage({ session }: { session: Session }): ReactNode {
  const world = useWorld();
  const [open, setOpen] = useState<OpenTalk>();
  const { id } = session;
  useEffect(() => {
    world.opening.wantsFocus = false;
    const talk = openTalk(world, id);
    setOpen(talk);
    return () => talk.feed.close();
  }, [world, id]);
  return open && <Conversation session={session} open={open} />;
}

interface OpenTalk {
  store: Store<Talk & { failed?: string }, TalkAction | { type: "failed"; text: string }>;
  feed: TalkFeed;
}

function openTalk({ machine, version }: World, session: string): OpenTalk {
  const store: OpenTalk["store"] = new Store(EMPTY_TALK, (talk, action) =>
    action.type === "failed" ? { ...talk, failed: action.text } : reduceTalk(talk, action),
  );
  const onFailed = (text: string): void => store.dispatch({ type: "failed", text });
  return { store, feed: new TalkFeed({ machine, version, session, dispatch: store.dispatch, onFailed }) };
}

function Conversation({ session, open: { store, feed } }: { session: Session; open: OpenTalk }): ReactNode {
  const talk = useSyncExternalStore(store.subscribe, store.get);
  const box = useFollowedEnd(talk);
  const questions = openQuestions(talk);
  const perform = useDo();
  const answer = (itemId: string, choice: string): Promise<boolean> =>
    perform(undefined, () => feed.client.request("session.answer", { session: session.id, item_id: itemId, choice }));
  return (
    <div className="conversation">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys */}
      <div className="scroll items" ref={box} tabIndex={0} role="log" aria-label="Conversation">
        {talk.failed !== undefined && <p className="words tone-bad">✗ {talk.failed}</p>}
        {talk.droppedCount > 0 && <p className="words">{talk.droppedCount} older items are in the journal only.</p>}
        {talk.items.length === 0 && talk.failed === undefined && (
          <p className="empty">Nothing was said so far. Say what is to be done.</p>
        )}
        {talk.items.map((item) => (
          <Item key={item.id} item={item} />
        ))}
        {talk.state === "working" && <p className="words tone-live">◉ working</p>}
      </div>
      {questions.map((question) => (
        <PermissionCard
          key={question.id}
          question={question}
          tool={toolOf(talk, question)}
          onAnswer={(choice) => answer(question.id, choice)}
        />
      ))}
      {session.status === "running" && <Prompt name={session.name} session={session.id} feed={feed} />}
    </div>
  );
}

function Prompt({ name, session, feed }: { name: string; session: string; feed: TalkFeed }): ReactNode {
  const [text, setText] = useState("");
  const [isSending, setSending] = useState(false);
  const perform = useDo();
  const send = async (event?: FormEvent): Promise<void> => {
    event?.preventDefault();
    if (text.trim() === "" || isSending) return;
    setSending(true);
    if (await perform(undefined, () => feed.client.request("session.prompt", { session, text }))) setText("");
    setSending(false);
  };
  return (
    <form className="prompt" onSubmit={(event) => void send(event)}>
      <textarea
        value={text}
        rows={Math.min(6, text.split("\n").length)}
        placeholder={`Say something to ${name}`}
        aria-label={`Say something to ${name}`}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
          if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
          event.preventDefault();
          void send();
        }}
      />
      <button type="submit" className="primary" disabled={isSending || text.trim() === ""}>
        {isSending ? "Sending …" : "Send"}
      </button>
    </form>
  );
}

/** Stays at the end while somebody is there; who has scrolled up is left in peace. */
function useFollowedEnd(talk: Talk): React.RefObject<HTMLDivElement | null> {
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    const element = box.current!;
    const look = (): void => {
      isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
    };
    element.addEventListener("scroll", look, { passive: true });
    return () => element.removeEventListener("scroll", look);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: with every change of what is shown
  useEffect(() => {
    if (isAtEnd.current) box.current!.scrollTop = box.current!.scrollHeight;
  }, [talk]);
  return box;
}
