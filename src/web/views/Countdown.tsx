import { type ReactNode, useEffect, useState } from "react";

/** What is left, each second; said aloud at the minute and at the last ten seconds alone. */
export function Countdown({ untilMs }: { untilMs: number }): ReactNode {
  const leftS = useSecondsLeft(untilMs);
  const said = leftS === 60 || leftS === 10 ? `${leftS} seconds left` : "";
  return (
    <p className="countdown">
      <span aria-hidden="true">
        {Math.floor(leftS / 60)}:{String(leftS % 60).padStart(2, "0")}
      </span>{" "}
      left
      <span className="unseen" aria-live="polite">
        {said}
      </span>
    </p>
  );
}

function useSecondsLeft(untilMs: number): number {
  const [nowMs, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return Math.max(0, Math.ceil((untilMs - nowMs) / 1_000));
}
