import type { ReactNode } from "react";
import { fromHex } from "../../sealing/bytes.ts";
import { fingerprintText } from "../../sealing/fingerprint.ts";

/** A hub's, in groups to be compared by eye. */
export function Fingerprint({ hex }: { hex: string }): ReactNode {
  const bytes = fromHex(hex);
  return <code className="fingerprint">{bytes ? fingerprintText(bytes) : hex}</code>;
}
