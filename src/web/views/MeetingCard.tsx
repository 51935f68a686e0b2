import type { ReactNode } from "react";

/** Somebody has come with a pairing code. The person compares what stands on both: it is the same, or somebody sits between. */
interface MeetingCardProps {
  candidate: { name: string; platform: string; check: string };
  /** What it would be let in to; goes on behind its name. */
  children: ReactNode;
  isBusy?: boolean;
  onYes: () => void;
  onNo: () => void;
}

/** What needs the person is where the keys are, and in sight. */
const focused = (card: HTMLElement | null): void => card?.focus();

export function MeetingCard({ candidate, children, isBusy = false, onYes, onNo }: MeetingCardProps): ReactNode {
  return (
    <div ref={focused} className="card attention" role="alertdialog" aria-label="Somebody wants to join" tabIndex={-1}>
      <p>
        <b>{candidate.name}</b> ({candidate.platform}){children}.
      </p>
      <p>
        Its check: <output className="check">{candidate.check}</output>
      </p>
      <p>Does the device show the same number?</p>
      <div className="actions">
        <button type="button" className="primary" disabled={isBusy} onClick={onYes}>
          {isBusy ? "Letting it in …" : "Yes, let it in"}
        </button>
        <button type="button" disabled={isBusy} onClick={onNo}>
          No
        </button>
      </div>
    </div>
  );
}
