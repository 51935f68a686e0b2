import { type FormEvent, type ReactNode, useSyncExternalStore } from "react";
import type { Client } from "../../client/client.ts";
import { isSettled, type OutboxItem } from "../../client/remote/outbox-item.ts";
import { Drafts } from "../store/drafts.ts";
import { useOutboxItems } from "./answering.ts";
import { MayNot } from "./MayNot.tsx";
import { type ShownMachine, useMachine } from "./machines.ts";
import { WaitingItems } from "./WaitingItems.tsx";
import { useApp, useDo, useWorld } from "./world.ts";

/** Says something to an agent: at once, or left for its machine while that is away. What waits stands above it. */
export function PromptLine({ name, session, client }: { name: string; session: string; client: Client }): ReactNode {
  const { machine: way } = useWorld();
  const drafts = useDrafts();
  const key = `${way.id} ${session}`;
  const { text, isSending } = useSyncExternalStore(drafts.subscribe, () => drafts.get(key));
  const machine = useMachine(way.id);
  const { mayWait, say } = useSay({ machine, session, client });
  const label = `Say something to ${name}`;
  const send = (event?: FormEvent): void => {
    event?.preventDefault();
    void drafts.send(key, say);
  };
  if (machine && !machine.may("type"))
    return <MayNot machine={machine} scope="type" what={`say anything to ${name}`} />;
  return (
    <>
      <Waiting machine={way.id} session={session} name={machine?.name ?? way.name} />
      <form className="prompt" onSubmit={send}>
        <textarea
          value={text}
          rows={Math.min(6, text.split("\n").length)}
          placeholder={mayWait ? `Waits until ${machine?.name} is there` : label}
          aria-label={label}
          onChange={({ target }) => drafts.write(key, target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") event.currentTarget.blur();
            if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
            event.preventDefault();
            send();
          }}
        />
        <button type="submit" className="primary" disabled={isSending || text.trim() === ""}>
          {isSending ? "Sending …" : mayWait ? "Send later" : "Send"}
        </button>
      </form>
    </>
  );
}

function useDrafts(): Drafts {
  const { drafts } = useApp();
  drafts.all ??= new Drafts();
  return drafts.all;
}

/** `mayWait`: the machine is away, and what is said is kept for it. */
function useSay({ machine, session, client }: { machine: ShownMachine | undefined; session: string; client: Client }): {
  mayWait: boolean;
  say: (text: string) => Promise<boolean>;
} {
  const { remote } = useApp();
  const perform = useDo();
  const way = machine && remote?.coordinator?.connectionForSession({ machine: machine.id, id: session });
  const outbox = way && remote?.coordinator?.outbox;
  const mayWait = outbox !== undefined && machine?.isLive === false;
  const say = (text: string): Promise<boolean> =>
    perform<unknown>(undefined, () => {
      if (!mayWait) return client.request("session.prompt", { session, text });
      return outbox.add({ machine: machine!.id, unit: session, type: "session.prompt", payload: { session, text } });
    });
  return { mayWait, say };
}

/** What was said and has not arrived, or was refused. */
function Waiting({ machine, session, name }: { machine: string; session: string; name: string }): ReactNode {
  const items = useOutboxItems().filter((item) => item.machine === machine && item.unit === session && isShown(item));
  return <WaitingItems items={items} name={name} />;
}

const isShown = (item: OutboxItem): boolean =>
  item.type === "session.prompt" && (!isSettled(item) || item.state.kind === "failed");
