import { useEffect, useMemo, useState } from "react";
import type { KeptTalk } from "../../client/remote/kept-talk.ts";
import type { MailItem } from "../../sealing/mail-item.ts";
import { isHeard, type ShownMail, shownMail } from "../model/left-mail.ts";
import { ME } from "../store/mail-feed.ts";
import { useApp, useFleet } from "./world.ts";

/** The mail of every machine, by its id: of one that is away what it has left for this browser. */
export function useMail(): ReadonlyMap<string, ShownMail> {
  const { remote } = useApp();
  const { machines } = useFleet();
  const away = [...machines.values()].filter(({ home }) => !isHeard(home)).map(({ id }) => id);
  const left = useLeft(remote?.talks, away.join(" "));
  return useMemo(
    () => new Map([...machines.values()].map(({ id, home }) => [id, shownMail(home, left.get(id), ME)])),
    [machines, left],
  );
}

type Talks = NonNullable<ReturnType<typeof useApp>["remote"]>["talks"];
type Left = ReadonlyMap<string, KeptTalk<MailItem>>;

const NOTHING: Left = new Map();

/** @param away ids, with blanks between them */
function useLeft(talks: Talks | undefined, away: string): Left {
  const [left, setLeft] = useState(NOTHING);
  useEffect(() => {
    if (!talks || away === "") return;
    let isOver = false;
    const read = async (): Promise<void> => {
      const found = new Map<string, KeptTalk<MailItem>>();
      for (const id of away.split(" ")) {
        const mail = await talks.mail(id);
        if (mail) found.set(id, mail);
      }
      if (!isOver) setLeft(found);
    };
    void read();
    const unsubscribe = talks.subscribe(() => void read());
    return () => {
      isOver = true;
      unsubscribe();
    };
  }, [talks, away]);
  return left;
}
