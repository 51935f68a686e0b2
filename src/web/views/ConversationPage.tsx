import { type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Session } from "../../protocol/units.ts";
import { isOpen, type Question } from "../model/asked.ts";
import { EMPTY_TALK, openQuestions, reduceTalk, type Talk, type TalkAction, toolOf } from "../model/talk.ts";
import { Store } from "../store/store.ts";
import { TalkFeed } from "../store/talk-feed.ts";
import { useAsked } from "./asked.tsx";
import { Item } from "./Item.tsx";
import { KeptItems, useKeptTalk } from "./KeptConversation.tsx";
import { PromptLine } from "./PromptLine.tsx";
import { QuestionCard } from "./QuestionCard.tsx";
import { useHome, useWorld, type World } from "./world.ts";

/** What the page needs of a session: of one that is known by a record alone there is no more. */
export type SpokenTo = Pick<Session, "id" | "name" | "status" | "workdir">;

/** A conversation with an agent: what was said and done, what it asks, and what is said to it. Of a machine that is away what it has left is shown. */
export function ConversationPage({ session }: { session: SpokenTo }): ReactNode {
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

function Conversation({ session, open: { store, feed } }: { session: SpokenTo; open: OpenTalk }): ReactNode {
  const talk = useSyncExternalStore(store.subscribe, store.get);
  const { machine } = useWorld();
  const isLive = useHome().way.kind === "live";
  const left = useKeptTalk(session.id);
  // What this page has heard itself may go further; and the machine, once it has spoken, knows best.
  const kept = left && (isLive ? talk.items.length === 0 : left.seq > lastSeq(talk)) ? left : undefined;
  const box = useFollowedEnd(kept ?? talk);
  const questions = useQuestions(session, talk);
  return (
    <div className="conversation">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys */}
      <div className="scroll items" ref={box} tabIndex={0} role="log" aria-label="Conversation">
        {talk.failed !== undefined && isLive && <p className="words tone-bad">✗ {talk.failed}</p>}
        {talk.items.length === 0 && !isLive && !kept && (
          <p className="empty">What was said can be read when its machine is there.</p>
        )}
        {kept && <KeptItems talk={kept} />}
        {!kept && talk.droppedCount > 0 && (
          <p className="words">{talk.droppedCount} older items are in the journal only.</p>
        )}
        {talk.items.length === 0 && talk.failed === undefined && isLive && (
          <p className="empty">Nothing was said so far. Say what is to be done.</p>
        )}
        {!kept && talk.items.map((item) => <Item key={item.id} item={item} />)}
        {(kept ?? talk).state === "working" && <p className="words tone-live">◉ working</p>}
      </div>
      {questions.map((question) => (
        <QuestionCard key={question.question.id} machineId={machine.id} question={question} />
      ))}
      {session.status === "running" && <PromptLine name={session.name} session={session.id} client={feed.client} />}
    </div>
  );
}

const lastSeq = ({ items }: Pick<Talk, "items">): number => items.reduce((most, { seq }) => Math.max(most, seq), 0);

/** Those that are open here; before the conversation has come, those that were when it was last heard. */
function useQuestions({ id, workdir }: SpokenTo, talk: Talk): Question[] {
  const { machine } = useWorld();
  const known = useAsked().get(machine.id);
  if (talk.items.length === 0) return [...(known?.values() ?? [])].filter((one) => one.session === id && isOpen(one));
  return openQuestions(talk).map((question) => ({
    session: id,
    question,
    tool: toolOf(talk, question),
    directory: workdir,
    seenMs: 0,
  }));
}

/** Stays at the end while somebody is there; who has scrolled up is left in peace. */
function useFollowedEnd(shown: object): React.RefObject<HTMLDivElement | null> {
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
  }, [shown]);
  return box;
}
