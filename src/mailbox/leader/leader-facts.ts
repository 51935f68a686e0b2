import type { MailLeader, MailMember, MailStatus, Participant } from "../../protocol/mail-units.ts";
import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import type { MachinesSide } from "./machines-side.ts";
import type { Peer } from "./peer.ts";

/** What the messages need of the leader itself. */
export interface LeaderFacts {
  readonly epoch: number;
  readonly version: string;
  readonly machines: Pick<MachinesSide, "join" | "leave" | "list">;
  hello(greeting: PayloadOf<"hello">): DataOf<"hello">;
  leader(): MailLeader;
  members(): MailMember[];
  joined(peer: Peer): void;
  status(): Promise<MailStatus>;
  /** The log knows who has a process; who waits, and who is at work, is known here. */
  withPresence(participants: readonly Participant[]): Participant[];
  /** Until it is disposed. */
  waitsForMail(name: string): Disposable;
  /** Resolves when the successor leads. @throws SUCCESSOR_FAILED */
  yieldLead(payload: PayloadOf<"mail.yield">): Promise<MailStatus>;
  /** Ends without a successor. */
  shutdown(): void;
}
