/**
 * Everything that a hub holds is bounded, and says what happens at the bound (docs/remote-design.md, "Limits"). One object, so that tests reach a bound
 * with few bytes.
 */
export interface HubLimits {
  /** A WebSocket message; past it the connection is closed (1009). */
  frameBytes: number;
  /** A record; past it `RECORD_TOO_LARGE`. */
  recordBytes: number;
  /** Devices of a space; past it `SPACE_FULL`. */
  spaceMembers: number;
  /** Spaces of a hub; past it `HUB_FULL`. */
  spaces: number;
  /** Records of a space; past it the oldest items go, and what may push nothing out is `SPACE_FULL`. */
  spaceBytes: number;
  spaceRecords: number;
  /** Open channels of a connection; past it they are refused. */
  channels: number;
  /** Open ones of a machine's connection: its devices have theirs together. */
  machineChannels: number;
  /** Of one channel on the way in one direction; past it the channel is closed, since its writer ignores credit. */
  channelBytes: number;
  /** Channel bytes that wait in the hub for slow readers, altogether; past it the channel that brings more is closed as too slow. */
  heldBytes: number;
  /** Given to a connection's socket at a time; the rest of its channels waits in the hub, within its credit. */
  socketBytes: number;
  /** Records on the way to a reader that it has not taken; the rest waits in the store. */
  untakenBytes: number;
  /** As many at first to one that has never taken any; twice as many with each that it takes. */
  firstRecordBytes: number;
  /** What a connection has not read, its channels' credit aside; past it the connection is closed. */
  unreadBytes: number;
  /** Of a member, or of a guest's connection; past it they are not read for a while. */
  framesPerSecond: number;
  bytesPerSecond: number;
  /** How many seconds of the rate may come at once. */
  rateBurstSeconds: number;
  /** Refused past these; strangers have not logged in yet. */
  connections: number;
  guests: number;
  guestsOfAddress: number;
  strangers: number;
  strangersOfAddress: number;
  connectionsOfMember: number;
  /** Open ones of a machine, and of a device; past it `RENDEZVOUS_FULL`. */
  rendezvous: number;
  deviceRendezvous: number;
  /** The longest that one may stand. */
  rendezvousMs: number;
  /** Invitations that wait to be used; past it `INVITATIONS_FULL`. */
  invitations: number;
  invitationMs: number;
  /** From the hello to a whole login. */
  loginMs: number;
  /** A guest's whole stay: as long as a pairing may take. */
  guestMs: number;
  /** Silence after which the other end is pinged, and how long its answer may take. */
  silenceMs: number;
  answerMs: number;
  /** Items, requests and results are kept so long. */
  itemMs: number;
  /** Everything else that is not replaced. */
  recordMs: number;
  /** How often is looked for what has aged. */
  sweepMs: number;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
const KIB = 1024;
const MIB = 1024 * KIB;

export const HUB_LIMITS: HubLimits = {
  frameBytes: 96 * KIB,
  recordBytes: 64 * KIB,
  spaceMembers: 32,
  spaces: 1_000,
  spaceBytes: 64 * MIB,
  spaceRecords: 100_000,
  channels: 64,
  machineChannels: 2_048,
  channelBytes: 256 * KIB,
  heldBytes: 128 * MIB,
  socketBytes: 256 * KIB,
  untakenBytes: 256 * KIB,
  firstRecordBytes: 16 * KIB,
  unreadBytes: MIB,
  framesPerSecond: 2_000,
  bytesPerSecond: 8 * MIB,
  rateBurstSeconds: 10,
  connections: 4_000,
  guests: 500,
  guestsOfAddress: 10,
  strangers: 1_000,
  strangersOfAddress: 200,
  connectionsOfMember: 16,
  rendezvous: 8,
  deviceRendezvous: 2,
  rendezvousMs: 120 * SECOND_MS,
  invitations: 100,
  invitationMs: 10 * MINUTE_MS,
  loginMs: 5 * SECOND_MS,
  guestMs: 300 * SECOND_MS,
  silenceMs: 4 * SECOND_MS,
  answerMs: 4 * SECOND_MS,
  itemMs: 7 * DAY_MS,
  recordMs: 30 * DAY_MS,
  sweepMs: MINUTE_MS,
};
