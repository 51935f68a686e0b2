import { WarrenError } from "../../protocol/errors.ts";
import type { FleetHub } from "./fleet.ts";
import { age, clock } from "./text.ts";

/** How a hub is, in words: what it is, why, and what to do about it. */
export interface HubWords {
  glyph: string;
  text: string;
  tone: "live" | "attention" | "quiet" | "bad";
  /** Why, in a sentence. */
  why?: string;
  fix?: string | undefined;
}

export function hubWords({ state, isOff }: FleetHub, machineCount: number): HubWords {
  if (isOff && machineCount === 0) {
    const why = "No machine of it lets this browser in yet. On such a machine:";
    return { glyph: "◌", text: "known", tone: "quiet", why, fix: "warren pair" };
  }
  if (isOff) return { glyph: "◌", text: "disconnected here", tone: "quiet" };
  switch (state.kind) {
    case "off":
      return { glyph: "◌", text: "not connected", tone: "quiet" };
    case "connecting":
      return { glyph: "◐", text: "connecting", tone: "quiet" };
    case "checking":
      return { glyph: "◐", text: "connecting: it shows now who it is", tone: "quiet" };
    case "ready":
      return { glyph: "○", text: "connected", tone: "live" };
    case "waiting":
      return {
        glyph: "◌",
        text: `not connected; tried again at ${clock(state.untilMs)}`,
        tone: "attention",
        why: state.error.message,
        fix: state.error.fix,
      };
    case "refused":
      return { glyph: "✗", text: "refused", tone: "bad", why: refusalWords(state.error), fix: state.error.fix };
  }
}

/** A hub speaks of keys; what it means is whether anybody there lets this browser in. */
const refusalWords = ({ code, message }: WarrenError): string =>
  code === "KEY_NOT_KNOWN" || code === "DEVICE_UNKNOWN"
    ? "No machine of this hub lets this browser in any more, or the hub was set up anew."
    : message;

export const lastUsed = ({ usedMs }: FleetHub, nowMs: number): string =>
  usedMs === undefined ? "never" : agoWords(age(usedMs, nowMs));

/** Seconds are a moment that nobody counts. */
const agoWords = (aged: string): string =>
  aged.endsWith("s") ? "just now" : aged === "yesterday" ? aged : `${aged} ago`;

/** The address of a hub in the one way to write it, of what somebody typed. @throws HUB_ADDRESS */
export function hubAddress(text: string): string {
  const typed = text.trim();
  const whole = /^[a-z]+:\/\//i.test(typed) ? typed : `https://${typed}`;
  if (!URL.canParse(whole)) throw noAddress(typed, "it is none");
  const url = new URL(whole);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw noAddress(typed, "it is neither https nor http");
  if (url.username !== "" || url.password !== "") throw noAddress(typed, "it holds a name or a password");
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

const noAddress = (text: string, why: string): WarrenError =>
  new WarrenError("HUB_ADDRESS", `${text} is no hub's address: ${why}.`, { fix: "https://home.example" });
