import type { WarrenError } from "../../protocol/errors.ts";
import type { Introducer } from "../../sealing/introducing.ts";
import type { Offer } from "../../sealing/pairing.ts";
import type { PairingCode } from "../../sealing/pairing-code.ts";
import { pairingBroken, pairingCancelled, pairingExpired, pairingGone, pairingRefused } from "./errors.ts";

/**
 * The device's half of a pairing, as a pure function of what happens (docs/remote-design.md, Pairing). It does nothing itself: it says what is to be
 * done, in order.
 *
 *     read ─ connect ─▶ finding ─▶ connecting ─▶ shaking ─▶ proving ─▶ shown ─▶ keeping ─▶ joined
 *                                                   └▶ asked ─ agree ─▶ agreed ─▶ awaiting ─┘          a device introduces, and not a machine
 *                          … or failed | cancelled | expired | refused, from everywhere before joined
 *
 * 1. Nothing is sent before `connect`, and nothing to a hub whose key does not have the code's fingerprint; nothing of this device itself before its
 *    person has agreed to the machines that it is introduced to.
 * 2. Nothing is kept before the machine's person has said yes; whatever ends it otherwise leaves no trace.
 * 3. It ends once, and everything that comes later is without effect.
 * 4. While it is kept this device's store alone decides: the machine has let it in, whoever is lost, gives up or comes too late then. Who was introduced and
 *    can tell nobody any more that it has kept what it was given takes that back, as the machines do, which let in nobody who has not said so.
 */
export interface PairingCard {
  code: PairingCode;
  /** The hub's fingerprint as hex. */
  hub: string;
  /** As this device calls it; undefined: a hub that it does not know yet. */
  knownAs: string | undefined;
}

export type PairState =
  | { kind: "read"; card: PairingCard }
  /** The hub behind the address is asked for its key. */
  | { kind: "finding"; card: PairingCard }
  | { kind: "connecting"; card: PairingCard }
  | { kind: "shaking"; card: PairingCard }
  | { kind: "proving"; card: PairingCard; check: string }
  /** Both ends show the check; the machine's person decides. */
  | { kind: "shown"; card: PairingCard; check: string; offer: Offer }
  /** A device introduces this one to these machines; is that wanted? */
  | { kind: "asked" | "agreed"; card: PairingCard; introducer: Introducer }
  /** Both devices show the check; the person at the other one decides, and then the machines. */
  | { kind: "awaiting"; card: PairingCard; check: string; introducer: Introducer }
  | { kind: "keeping"; card: PairingCard; check: string; offer: Offer; outcome?: IntroductionOutcome }
  | { kind: "joined"; offer: Offer; outcome?: IntroductionOutcome }
  | { kind: "ended"; how: PairEnd; error: WarrenError };

/** Of an introduction: the machines that have let this device in, at least one, and why the others have not. */
export interface IntroductionOutcome {
  offers: readonly Offer[];
  left: readonly { name: string; sentence: string }[];
}

export type PairEnd = "failed" | "refused" | "expired" | "cancelled";

export type PairEvent =
  | { kind: "connect" | "cancel" | "expire" }
  | { kind: "found"; isTheHub: boolean }
  /** The hub has let the guest in, and the channel is open. */
  | { kind: "met" }
  | { kind: "shaken"; check: string }
  | { kind: "introduced"; introducer: Introducer }
  | { kind: "agree" }
  /** Undefined: it is not signed by the machines for this device, or not what was agreed to. */
  | { kind: "outcome"; outcome: IntroductionOutcome | undefined }
  /** Undefined: it is not signed by what it names, or it offers more than the code. */
  | { kind: "offered"; offer: Offer | undefined }
  | { kind: "verdict"; isJoined: boolean }
  | { kind: "kept" }
  /** The machine has hung up. */
  | { kind: "left" }
  /** The connection has ended, or something came by it that has no form. */
  | { kind: "lost"; error: WarrenError }
  /** What this device does itself has failed: its store refuses, or the hub cannot be reached. */
  | { kind: "broke"; error: WarrenError };

export type PairEffect = { kind: "find" | "meet" | "shake" | "introduce" | "keep" | "hang_up" };
export type PairStep = readonly [PairState, readonly PairEffect[]];

export function pairStep(state: PairState, event: PairEvent): PairStep {
  if (state.kind === "joined" || state.kind === "ended") return [state, []];
  if (state.kind === "keeping") return whileKeeping(state, event);
  switch (event.kind) {
    case "connect":
      return state.kind === "read" ? [{ kind: "finding", card: state.card }, [{ kind: "find" }]] : [state, []];
    case "found":
      if (state.kind !== "finding") return [state, []];
      if (!event.isTheHub) return end("failed", pairingBroken());
      return [{ kind: "connecting", card: state.card }, [{ kind: "meet" }]];
    case "met":
      return state.kind === "connecting" ? [{ kind: "shaking", card: state.card }, [{ kind: "shake" }]] : [state, []];
    case "introduced":
      if (state.kind !== "shaking") return end("failed", pairingBroken());
      return [{ kind: "asked", card: state.card, introducer: event.introducer }, []];
    case "agree":
      return state.kind === "asked" ? [{ ...state, kind: "agreed" }, [{ kind: "introduce" }]] : [state, []];
    case "shaken":
      if (state.kind === "agreed") return [{ ...state, kind: "awaiting", check: event.check }, []];
      if (state.kind !== "shaking") return [state, []];
      return [{ kind: "proving", card: state.card, check: event.check }, []];
    case "outcome":
      return onOutcome(state, event.outcome);
    case "offered":
      return onOffer(state, event.offer);
    case "verdict":
      return onVerdict(state, event.isJoined);
    case "kept":
      return [state, []];
    case "left":
      return onLeft(state);
    case "lost":
    case "broke":
      return end("failed", event.error);
    case "expire":
      return end("expired", pairingExpired());
    case "cancel":
      return end("cancelled", pairingCancelled());
  }
}

/** The machine has let it in, and being told of it twice is worse than once. */
function whileKeeping(state: Extract<PairState, { kind: "keeping" }>, event: PairEvent): PairStep {
  if (event.kind === "kept") return [joined(state), [{ kind: "hang_up" }]];
  return event.kind === "broke" ? end("failed", event.error) : [state, []];
}

function onOffer(state: PairState, offer: Offer | undefined): PairStep {
  if (state.kind !== "proving") return end("failed", pairingBroken());
  const { card, check } = state;
  const asked = card.code.scopes;
  if (offer === undefined || !offer.scopes.every((scope) => asked.includes(scope)))
    return end("failed", pairingBroken());
  return [{ kind: "shown", card, check, offer }, []];
}

const joined = ({ offer, outcome }: Extract<PairState, { kind: "keeping" }>): PairState => ({
  kind: "joined",
  offer,
  ...(outcome ? { outcome } : {}),
});

function onOutcome(state: PairState, outcome: IntroductionOutcome | undefined): PairStep {
  const offer = outcome?.offers[0];
  if (state.kind !== "awaiting" || !offer) return end("failed", pairingBroken());
  const { card, check } = state;
  return [{ kind: "keeping", card, check, offer, outcome: outcome! }, [{ kind: "keep" }]];
}

function onVerdict(state: PairState, isJoined: boolean): PairStep {
  if (!isJoined) return end("refused", pairingRefused(otherEnd(state)));
  if (state.kind !== "shown") return end("failed", pairingBroken());
  const { card, check, offer } = state;
  return [{ kind: "keeping", card, check, offer }, [{ kind: "keep" }]];
}

/** Before the handshake: nobody is there. After it: the machine takes its time, or has gone. */
function onLeft(state: PairState): PairStep {
  if (state.kind === "shown" || state.kind === "awaiting") return end("refused", pairingRefused(otherEnd(state)));
  return end("failed", pairingGone());
}

function otherEnd(state: PairState): string {
  if (state.kind === "shown") return state.offer.name;
  return state.kind === "awaiting" ? state.introducer.name : "the machine";
}

const end = (how: PairEnd, error: WarrenError): PairStep => [{ kind: "ended", how, error }, [{ kind: "hang_up" }]];
