import type { JournalPosition } from "../journal/journal-reader.ts";
import type { JournalEnd } from "../keeper-port.ts";

/**
 * What the server's thread and the screens' thread say to each other.
 *
 * An event's `offset`: the program's output up to there has been looked at; what the event tells of is in its last part. Bells, notifications and replies
 * are told only of output that came after the session was opened here; titles and marks are state, and told again. Replies are told at once; of the
 * rest, what came last in a step, at its end: one of each kind, and one mark of each letter.
 */
export type ScreenEvent = { offset?: number } & (
  | { kind: "title"; title: string }
  | { kind: "bell" }
  | { kind: "notification"; text: string }
  /** What a terminal answers to what the program has asked it. */
  | { kind: "reply"; text: string }
  /** OSC 133: A prompt, B and C command, D its end, with its exit status when it says so. */
  | { kind: "mark"; letter: string; status?: number }
);

export type ScreenLook =
  | { kind: "screen"; id: string; call: number; end: JournalEnd }
  | { kind: "render"; id: string; call: number; end: JournalEnd; cols: number; rows: number }
  | { kind: "text"; id: string; call: number; end: JournalEnd; isStyled?: boolean };

export type ScreenRequest =
  | { kind: "open"; id: string; journalDir: string; end: JournalEnd }
  | { kind: "advance"; id: string; end: JournalEnd }
  | { kind: "close"; id: string; call: number }
  | ScreenLook;

export interface ScreenPicture {
  /** Where in the journal it is taken. */
  position: JournalPosition;
  bytes: Uint8Array;
  /** The session's size there, and its title. */
  cols: number;
  rows: number;
  title: string;
}

export interface ScreenText {
  /** With SGR sequences when that was asked for. */
  lines: string[];
  /** From 0. */
  cursor: { x: number; y: number };
}

/** The same, and how much of the session's output it has taken. */
export interface PlacedText extends ScreenText {
  offset: number;
}

export type ScreenAnswer =
  | { kind: "event"; id: string; event: ScreenEvent }
  | { kind: "closed"; call: number }
  | { kind: "answer"; call: number; data: ScreenPicture | PlacedText }
  | { kind: "answer"; call: number; error: string };
