import { useEffect, useState } from "react";
import { fingerprintText } from "../../sealing/fingerprint.ts";
import { fingerprintOf } from "../../sealing/login.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import { useApp } from "./world.ts";

/** By what machines call this browser among their devices; undefined before its first pairing. */
export function useOwnFingerprint(): string | undefined {
  const { remote } = useApp();
  const [own, setOwn] = useState<string>();
  useEffect(() => {
    let isOver = false;
    const look = async (): Promise<void> => {
      const keys = await remote?.device.keys();
      const fingerprint = keys && fingerprintText(await fingerprintOf(webCrypto(), keys.signing.publicKey));
      if (!isOver) setOwn(fingerprint);
    };
    look().catch(() => {}); // then none is marked
    return () => {
      isOver = true;
    };
  }, [remote]);
  return own;
}
