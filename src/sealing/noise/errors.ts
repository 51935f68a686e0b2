import { WarrenError } from "../../protocol/errors.ts";

export const noiseDead = () =>
  new WarrenError("NOISE_DEAD", "This session has ended, since a message before did not open.", {
    fix: "open a new session",
  });

export const nonceSpent = () =>
  new WarrenError("NONCE_SPENT", "This session has counted to its end and seals nothing more.", {
    fix: "open a new session",
  });

/** A handshake's step out of turn: the caller's mistake, not the other end's. */
export const outOfTurn = (what: string) => new WarrenError("NOISE_OUT_OF_TURN", `The handshake is not at ${what}.`);
