import { type ReactNode, useState } from "react";
import { quoteWord } from "../../protocol/quote-word.ts";
import type { RemoteIntroduction } from "../../protocol/remote-units.ts";
import type { DevicesFeed } from "../store/devices-feed.ts";
import { CopyCommand } from "./CopyCommand.tsx";
import { Countdown } from "./Countdown.tsx";
import { useDo } from "./world.ts";

/** Devices that another device introduces to a machine which asks its person first: yes is said in a terminal of that machine, no anywhere. */
interface WaitingProps {
  waiting: readonly RemoteIntroduction[];
  feed: DevicesFeed;
  machine: string;
}

export function WaitingDevices({ waiting, feed, machine }: WaitingProps): ReactNode {
  return waiting.map((one) => <Waiting key={one.introduction} one={one} feed={feed} machine={machine} />);
}

function Waiting({ one, feed, machine }: { one: RemoteIntroduction; feed: DevicesFeed; machine: string }): ReactNode {
  const [isBusy, setBusy] = useState(false);
  const perform = useDo();
  const { introduction, name, platform, known_as, introduced_by, scopes, expires_at } = one;
  const refuse = async (): Promise<void> => {
    setBusy(true);
    await perform(undefined, () => feed.client.request("remote.refuse", { introduction })); // what comes of it is told by the stream
    setBusy(false);
  };
  return (
    <section className="card attention" aria-label={`${name} waits to be let in`}>
      <p>
        <b>{name}</b> ({platform}){known_as !== undefined && `, here already as ${known_as},`} waits:{" "}
        <b>{introduced_by}</b> introduces it to {machine}, with {scopes.join(", ")}.
      </p>
      <Countdown untilMs={Date.parse(expires_at)} />
      <p>To let it in, in a terminal of {machine}:</p>
      <CopyCommand command={`warren devices allow ${quoteWord(name)}`} />
      <div className="actions">
        <button type="button" disabled={isBusy} onClick={() => void refuse()}>
          Refuse
        </button>
      </div>
    </section>
  );
}
