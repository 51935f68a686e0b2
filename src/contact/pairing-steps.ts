/**
 * A pairing code's life where it is shown, at a machine or at a device that introduces another one, as a pure function of what happens
 * (docs/remote-design.md, Pairing). It does nothing itself: it says what is to be done, in order.
 *
 *     offered → met → used → shown → admitting → joined
 *                └ a guest who cannot finish the handshake: offered again
 *     … or ended as refused, expired, cancelled, left or failed: from everywhere but joined
 *
 * 1. One guest at a time; another one is turned away.
 * 2. Who completes the handshake has used the code, whoever that is: nobody else can from then on.
 * 3. Nobody is admitted who was not shown, and confirmed after that. Admitted is at most one, once.
 * 4. Who was admitted at the hub and did not join is expelled there again: a pairing that ends otherwise leaves nothing.
 * 5. It ends once, and everything that comes later is without effect.
 */
export type PairingEnd = "refused" | "expired" | "cancelled" | "left" | "failed";

export type PairingState =
  | { kind: "offered" }
  /** A guest is there, and the handshake is under way. */
  | { kind: "met"; guest: number }
  /** It is over; the guest's proof is awaited. */
  | { kind: "used"; guest: number }
  /** A person looks at who it is. */
  | { kind: "shown"; guest: number }
  /** Confirmed; the hub is asked. `ending`: it is not to be any more. */
  | { kind: "admitting"; guest: number; ending: PairingEnd | undefined }
  | { kind: "joined" }
  | { kind: "ended"; how: PairingEnd };

export type PairingEvent =
  | { kind: "meets"; guest: number }
  | { kind: "completes"; guest: number }
  | { kind: "proves"; guest: number }
  /** It has sent what has no form, or took too long. */
  | { kind: "fails"; guest: number }
  | { kind: "leaves"; guest: number }
  | { kind: "confirm" }
  | { kind: "refuse" }
  | { kind: "cancel" }
  /** The code's time is over, or the person's. */
  | { kind: "expire" }
  | { kind: "admitted" }
  | { kind: "not_admitted" };

export type PairingEffect =
  | { kind: "greet" | "turn_away" | "let_go"; guest: number }
  /** The rendezvous at the hub. */
  | { kind: "put_up" | "take_back" }
  /** The person is told who it is. */
  | { kind: "show" }
  | { kind: "admit" | "expel" }
  /** Written down, and told to the device: first the one, then the other. */
  | { kind: "join" }
  | { kind: "end"; how: PairingEnd };

export type PairingStep = readonly [PairingState, readonly PairingEffect[]];

export function pairingStep(state: PairingState, event: PairingEvent): PairingStep {
  if (state.kind === "joined" || state.kind === "ended") return over(state, event);
  switch (event.kind) {
    case "meets":
      if (state.kind !== "offered") return [state, [{ kind: "turn_away", guest: event.guest }]];
      return [{ kind: "met", guest: event.guest }, [{ kind: "greet", guest: event.guest }]];
    case "completes":
      return isGuest(state, "met", event)
        ? [{ kind: "used", guest: event.guest }, [{ kind: "take_back" }]]
        : [state, []];
    case "proves":
      return isGuest(state, "used", event) ? [{ kind: "shown", guest: event.guest }, [{ kind: "show" }]] : [state, []];
    case "fails":
    case "leaves":
      return withoutGuest(state, event);
    case "confirm":
      if (state.kind !== "shown") return [state, []];
      return [{ kind: "admitting", guest: state.guest, ending: undefined }, [{ kind: "admit" }]];
    case "refuse":
      return state.kind === "shown" ? end(state, "refused") : [state, []];
    case "cancel":
      return end(state, "cancelled");
    case "expire":
      return state.kind === "used" || state.kind === "admitting" ? [state, []] : end(state, "expired");
    case "admitted":
      if (state.kind !== "admitting") return [state, []];
      if (state.ending === undefined) return [{ kind: "joined" }, [{ kind: "join" }]];
      return after(state.ending, state.guest, [{ kind: "expel" }]);
    case "not_admitted":
      return state.kind === "admitting" ? after(state.ending ?? "failed", state.guest, []) : [state, []];
  }
}

/** Who comes too late is sent away. */
const over = (state: PairingState, event: PairingEvent): PairingStep => [
  state,
  event.kind === "meets" ? [{ kind: "turn_away", guest: event.guest }] : [],
];

const isGuest = (state: PairingState, kind: "met" | "used", { guest }: { guest: number }): boolean =>
  state.kind === kind && state.guest === guest;

function withoutGuest(state: PairingState, { kind, guest }: { kind: "fails" | "leaves"; guest: number }): PairingStep {
  if (!("guest" in state) || state.guest !== guest) return [state, []];
  if (state.kind === "met") {
    const letGo: PairingEffect[] = kind === "fails" ? [{ kind: "let_go", guest }] : [];
    return [{ kind: "offered" }, [...letGo, { kind: "put_up" }]];
  }
  return end(state, kind === "fails" ? "failed" : "left");
}

function end(state: Exclude<PairingState, { kind: "joined" | "ended" }>, how: PairingEnd): PairingStep {
  if (state.kind === "admitting") return [{ ...state, ending: state.ending ?? how }, []];
  const isUp = state.kind === "offered" || state.kind === "met";
  return after(how, "guest" in state ? state.guest : undefined, isUp ? [{ kind: "take_back" }] : []);
}

const after = (how: PairingEnd, guest: number | undefined, first: readonly PairingEffect[]): PairingStep => [
  { kind: "ended", how },
  [...first, ...(guest === undefined ? [] : [{ kind: "let_go", guest } as const]), { kind: "end", how }],
];
