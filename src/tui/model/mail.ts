import type { MailMember, MailMessage, MailStatus, Participant, Receipt } from "../../protocol/mail-units.ts";

/**
 * The mail of the home, as the screen shows it while it is open: who takes part, what passes, and one message whole. All of it is read from the leader again
 * when something has happened there, so nothing here is guessed; it is forgotten when the screen is left.
 */

/** Messages that are kept of what passed; older ones are dropped. */
export const TRAFFIC_MAX = 500;
/** Participants that are shown; the others are told by number. */
export const PARTICIPANTS_MAX = 500;
/** Of a body, in the list; all of it is read when it is opened. */
export const BODY_CHARACTERS_MAX = 2_000;
/** Of a message that is typed here. */
export const WRITTEN_CHARACTERS_MAX = 4_000;

export interface MailEntry {
  /** Its body may be cut. */
  message: MailMessage;
  isCut: boolean;
  receipts: readonly Receipt[];
}

/** `nobody` leads, and none is started for a screen; `never`: no mail was ever sent in this home. */
export type MailState = "connecting" | "live" | "lost" | "nobody" | "never";

export interface MailView {
  isOpen: boolean;
  /** For whom this screen speaks. */
  me: string;
  state: MailState;
  status: (Pick<MailStatus, "leader"> & { members: readonly MailMember[] }) | null;
  participants: readonly Participant[];
  moreParticipants: number;
  /** Whose messages are shown; null: everybody's. */
  withName: string | null;
  focus: "participants" | "traffic";
  /** Oldest first; of `trafficOf`, which is `withName` as soon as it was read. */
  traffic: readonly MailEntry[];
  trafficOf: string | null | undefined;
  hasOlder: boolean;
  /** Null: the newest, also when there comes a newer one. */
  selectedSeq: number | null;
  tops: { participants: number; traffic: number };
  /** In rows of the panel's width. */
  opened: { entry: MailEntry; rows: readonly string[]; top: number } | null;
}

/** What was heard of the mailbox. */
export type MailNews =
  | { kind: "state"; state: MailState }
  | { kind: "status"; status: NonNullable<MailView["status"]> }
  | { kind: "participants"; participants: readonly Participant[] }
  | { kind: "traffic"; withName: string | null; entries: readonly MailEntry[]; hasOlder: boolean }
  | { kind: "opened"; entry: MailEntry }
  | { kind: "led"; pid: number | undefined; epoch: number };

/** What is asked of it. */
export type MailAsk =
  /** Shows it and keeps it fresh, until `leave`. */
  | { ask: "watch"; withName: string | null }
  | { ask: "leave" }
  | { ask: "open"; seq: number }
  | { ask: "send"; to: string; body: string }
  | { ask: "reply"; id: string; from: string; body: string }
  /** This one, and what its sender wrote before it. */
  | { ask: "acknowledge"; from: string; seq: number }
  | { ask: "acknowledge-all" };

export const initialMail = (me: string): MailView => ({
  isOpen: false,
  me,
  state: "connecting",
  status: null,
  participants: [],
  moreParticipants: 0,
  withName: null,
  focus: "participants",
  traffic: [],
  trafficOf: undefined,
  hasOlder: false,
  selectedSeq: null,
  tops: { participants: 0, traffic: 0 },
  opened: null,
});

export const selectedIndex = ({ traffic, selectedSeq }: MailView): number => {
  if (selectedSeq === null) return traffic.length - 1;
  // One that was dropped: the oldest that is left.
  return Math.max(
    0,
    traffic.findLastIndex(({ message }) => message.seq <= selectedSeq),
  );
};

/** The message that the cursor is on. */
export const selectedEntry = (mail: MailView): MailEntry | undefined => mail.traffic[selectedIndex(mail)];

/** To me, and not done with. */
export const awaitsMe = ({ receipts }: MailEntry, { me }: Pick<MailView, "me">): boolean =>
  receipts.some(({ to, state }) => to === me && (state === "queued" || state === "offered" || state === "seen"));

/** Row 0 is everybody. */
export const participantIndex = ({ participants, withName }: MailView): number =>
  withName === null ? 0 : 1 + participants.findIndex(({ name }) => name === withName);
