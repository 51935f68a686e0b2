/** The leader's limits, each with its policy (docs/mailbox-design.md, "Limits"). */

/** More are refused at once, unless a silent one can go in their place. */
export const CONNECTIONS_MAX = 2_000;
/** Connections that have said nothing; the oldest of them is closed for the next one. */
export const SILENT_CONNECTIONS_MAX = 1_000;
/** A connection that says nothing is closed after this time. */
export const SILENT_MS = 10_000;
/** A wait is answered with nothing after this time, and asked again. */
export const WAIT_MS_MAX = 45_000;
/** Events that somebody who was away may catch up on. */
export const EVENTS_KEPT = 4_096;
/** Without a member, another connection or somebody who waits, the leader ends after this time. */
export const IDLE_MS = 60_000;
/** How often the leader looks at itself: its lock, its epoch, who is gone. */
export const LOOK_MS = 2_000;
/** A sweep comes so often even when nothing is due, since wall clocks jump. */
export const SWEEP_MS = 30_000;
/** And never closer together. */
export const SWEEP_PAUSE_MS = 5;
/** The port that is another's is tried so often. */
export const PORT_RETRY_MS = 1_000;
/** But the port that the leader before had is waited for so long, and looked at so often. */
export const PORT_FREED_MS = 100;
export const PORT_FREED_LOOK_MS = 1;
/** How often the standby looks at the leader's process: one read of /proc. Each look wakes a processor, which is what a standby costs. */
export const STANDBY_LOOK_MS = 150;
/** And how often once it has seen it stopped; one that is seen so for this long is ended. */
export const STOPPED_LOOK_MS = 50;
export const STOPPED_MS = 200;
/** Its pings, which go through the writer's thread; a leader that answers none for so long is ended too. */
export const PING_MS = 1_000;
export const HUNG_MS = 3_000;
/** How often a candidate tries the lock. */
export const LOCK_RETRY_MS = 1;
/** A successor has so long to load. */
export const SUCCESSOR_WARM_MS = 10_000;
/** And, once told to go, so long to lead. */
export const SUCCESSOR_LEAD_MS = 5_000;
/** At a handover, what is in hand is finished within this time; the rest is repeated by its clients. */
export const DRAIN_MS = 1_000;
/** A connection that was accepted and has not spoken yet gets so long to do it. */
export const SILENT_DRAIN_MS = 250;
/** The standby is started so long after the leader has begun to serve. */
export const STANDBY_AFTER_MS = 25;
/** Participants of a leader that is gone dial again within this time. */
export const COME_BACK_MS = 2_000;
/** At the end, for refusals to reach those who asked. */
export const GOODBYE_MS = 100;
