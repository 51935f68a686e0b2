import { type ReactNode, useEffect, useState } from "react";
import { earlierCount, itemsOf, type KeptTalk } from "../../client/remote/kept-talk.ts";
import type { ConversationItem } from "../../protocol/conversation.ts";
import { isKnownItem } from "../../sealing/item-kinds.ts";
import { when } from "../model/text.ts";
import { Item } from "./Item.tsx";
import { useHome, useNow, useWorld } from "./world.ts";

/** What the machine has left of an agent's conversation, as it was when the machine was last away; undefined where it was not since the page was opened. */
export function useKeptTalk(session: string): KeptTalk | undefined {
  const { remote, machine } = useWorld();
  const isLive = useHome().way.kind === "live";
  const [talk, setTalk] = useState<KeptTalk>();
  useEffect(() => {
    if (!remote || isLive) return;
    let isOver = false;
    const read = (): void => void remote.talks.read(machine.id, session).then((read) => void (isOver || setTalk(read)));
    read();
    const unsubscribe = remote.talks.subscribe(read);
    return () => {
      isOver = true;
      unsubscribe();
    };
  }, [remote, machine.id, session, isLive]);
  return talk;
}

/** To be read: questions in it are answered by their cards, where those are kept. */
export function KeptItems({ talk }: { talk: KeptTalk }): ReactNode {
  const earlier = earlierCount(talk);
  const nowMs = useNow();
  return (
    <>
      <p className="words kept-talk">◌ As its machine left it, as of {when(talk.atMs, nowMs)}.</p>
      {earlier > 0 && <p className="words">What was said before that ({earlier} of its entries) is on the machine.</p>}
      {talk.isIncomplete && <p className="words tone-attention">Some of it has not come; the machine has it.</p>}
      {itemsOf(talk)
        .filter(isKnownItem)
        .map((item) => (
          <KeptItem key={item.id} item={item} />
        ))}
    </>
  );
}

function KeptItem({ item }: { item: ConversationItem }): ReactNode {
  const isOpen = item.kind === "permission" && item.state === "pending";
  return (
    <>
      {isOpen ? <p className="words tone-attention">◆ {item.title}</p> : <Item item={item} />}
      {item.cut === true && <p className="words">… The rest of this is on the machine.</p>}
    </>
  );
}
