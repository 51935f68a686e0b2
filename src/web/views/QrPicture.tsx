import { type ReactNode, useEffect, useState } from "react";
import type { QrPath } from "../qr/qr-path.ts";

/** A QR code, black on white in both themes, since not every camera takes an inverted one. What draws it is loaded when the first one is shown. */
export function QrPicture({ text, label }: { text: string; label: string }): ReactNode {
  const [drawn, setDrawn] = useState<QrPath>();
  useEffect(() => {
    let isOver = false;
    void import("../qr/qr-path.ts").then(({ qrPath }) => isOver || setDrawn(qrPath(text)));
    return () => {
      isOver = true;
    };
  }, [text]);
  if (!drawn) return <div className="qr" />;
  return (
    <svg
      className="qr"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${drawn.size} ${drawn.size}`}
      shapeRendering="crispEdges"
    >
      <path d={drawn.path} />
    </svg>
  );
}
