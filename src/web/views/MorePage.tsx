import type { ReactNode } from "react";

/** The pages that have no place of their own in the bar of a phone. */
export function MorePage({ outboxCount, onKeys }: { outboxCount: number; onKeys: () => void }): ReactNode {
  return (
    <div className="scroll more">
      <h1>More</h1>
      <ul className="cards">
        <Way href="#/hubs" label="Hubs" words="through which machines are met" />
        <Way href="#/devices" label="Devices" words="that may steer your machines; let one in, or cut it off" />
        <Way href="#/outbox" label="Outbox" words="what waits for machines that are away" count={outboxCount} />
        <Way href="#/ended" label="Ended" words="sessions that are over; what agents said can be read" />
        <Way href="#/settings" label="Settings" words="colours, letters, tones, order" />
      </ul>
      <button type="button" onClick={onKeys}>
        Keys
      </button>
    </div>
  );
}

function Way({
  href,
  label,
  words,
  count = 0,
}: {
  href: string;
  label: string;
  words: string;
  count?: number;
}): ReactNode {
  return (
    <li>
      <a className="card way" href={href}>
        <b>
          {label}
          {count > 0 && <span className="badge">{count}</span>}
        </b>
        <span className="project">{words}</span>
      </a>
    </li>
  );
}
