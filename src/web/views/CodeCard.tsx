import type { ReactNode } from "react";
import { CopyCommand } from "./CopyCommand.tsx";
import { Countdown } from "./Countdown.tsx";
import { QrPicture } from "./QrPicture.tsx";

/** A pairing code that waits for its device, as a picture and as a link. `children`: what it lets the device in to, in a sentence. */
interface CodeCardProps {
  code: { qr: string; link: string; isLocal: boolean; expiresMs: number };
  onForget: () => void;
  children: ReactNode;
}

export function CodeCard({ code: { qr, link, isLocal, expiresMs }, onForget, children }: CodeCardProps): ReactNode {
  return (
    <div className="card code">
      <QrPicture text={qr} label="Pairing code, as a picture for the device's camera" />
      <div className="code-words">
        <p>Scan it with the device, or open this link there. {children}, once you have said yes here.</p>
        <CopyCommand command={link} />
        {isLocal && <p className="tone-attention">Only this machine's own browsers can open that address.</p>}
        <Countdown untilMs={expiresMs} />
        <button type="button" onClick={onForget}>
          Forget the code
        </button>
      </div>
    </div>
  );
}
