import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import { isNotFound } from "./nats-errors.ts";

/**
 * What is made at the NATS server, with what 2.9 has. A stream holds what is on its way: a message goes when its machine has confirmed it (work queue). When it is
 * full, new ones are refused and nothing old is dropped: they wait in their sender's log. Two buckets hold the directory.
 */
export const STREAM = "WARREN_MAIL";
export const LASTING_BUCKET = "WARREN_MAIL_MACHINES";
export const FLEETING_BUCKET = "WARREN_MAIL_HERE";

const SUBJECT = "warren.mail";
export const subjectOf = (to: string, from: string): string => `${SUBJECT}.${to}.${from}`;
/** The machine that may publish there. */
export const senderIn = (subject: string): string => subject.split(".")[3] ?? "";

const DAY_NS = 24 * 3_600_000 * 1_000_000;
/** As a message's life: what is older is sent again by its sender's machine, or is over. */
const AGE_NS = 7 * DAY_NS;
const BYTES_MAX = 256 * 1024 * 1024;
/** From one machine to one other; its leader keeps at most a quarter of it on the way. */
const COUNT_MAX = 2_048;
/** A leader that takes something and dies has it redelivered to the next one after this time; its sender may be quicker. */
const ACK_WAIT_NS = 10_000 * 1_000_000;
const ACK_PENDING_MAX = 1_024;
export const BUCKET_BYTES_MAX = 32 * 1024 * 1024;

/** When the stream was made: another moment means another stream. */
export async function ensureStream(manager: JetStreamManager): Promise<string> {
  try {
    return (await manager.streams.info(STREAM)).created;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  try {
    const info = await manager.streams.add({
      name: STREAM,
      subjects: [`${SUBJECT}.*.*`],
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      discard_new_per_subject: true,
      max_msgs_per_subject: COUNT_MAX,
      max_bytes: BYTES_MAX,
      max_age: AGE_NS,
    });
    return info.created;
  } catch (error) {
    // Another machine was quicker.
    const info = await manager.streams.info(STREAM).catch(() => undefined);
    if (info) return info.created;
    throw error;
  }
}

export const consumerOf = (machine: string): string => `machine-${machine}`;

export async function ensureConsumer(manager: JetStreamManager, machine: string): Promise<void> {
  const name = consumerOf(machine);
  try {
    await manager.consumers.info(STREAM, name);
    return;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  await manager.consumers.add(STREAM, {
    durable_name: name,
    filter_subject: subjectOf(machine, "*"),
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: ACK_WAIT_NS,
    max_ack_pending: ACK_PENDING_MAX,
  });
}
