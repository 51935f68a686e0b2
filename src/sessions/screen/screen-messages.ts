import type { JournalEnd } from "../keeper-port.ts";
import type { JournalPosition } from "../output-reader.ts";

/** What the server's thread and the screens' thread say to each other. */
export type ScreenEvent =
  | { kind: "title"; title: string }
  | { kind: "bell" }
  | { kind: "notification"; text: string }
  | { kind: "mark"; letter: string };

export type ScreenLook =
  | { kind: "screen"; id: string; call: number; end: JournalEnd }
  | { kind: "render"; id: string; call: number; end: JournalEnd; cols: number; rows: number }
  | { kind: "text"; id: string; call: number; end: JournalEnd };

export type ScreenRequest =
  | { kind: "open"; id: string; journalDir: string }
  | { kind: "advance"; id: string; end: JournalEnd }
  | { kind: "close"; id: string }
  | ScreenLook;

export interface ScreenPicture {
  position: JournalPosition;
  bytes: Uint8Array;
}

export interface ScreenText {
  lines: string[];
  cursor: { x: number; y: number };
}

export type ScreenAnswer =
  | { kind: "event"; id: string; event: ScreenEvent }
  | { kind: "answer"; call: number; data: ScreenPicture | ScreenText }
  | { kind: "answer"; call: number; error: string };
