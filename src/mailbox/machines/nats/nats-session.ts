import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { type ConnectionOptions, connect, credsAuthenticator, type NatsConnection } from "@nats-io/transport-node";
import { messageOf } from "../../../protocol/errors.ts";
import { FACT_BYTES_MAX, FLEETING_MS, type ReceivedPacket, type Shelf } from "../transport.ts";
import { type NatsSettings, natsAddress } from "./nats-settings.ts";
import { Assembly, PAYLOAD_BYTES_MIN, partsOf } from "./parts.ts";
import {
  BUCKET_BYTES_MAX,
  consumerOf,
  ensureConsumer,
  ensureStream,
  FLEETING_BUCKET,
  LASTING_BUCKET,
  STREAM,
  senderIn,
  subjectOf,
} from "./streams.ts";

/** One connection to the server, from its beginning to its end; there is a new one after that. */

const CONNECT_MS = 5_000;
const PUBLISH_MS = 5_000;
/** A connection that answers no ping for two of these is over. */
const PING_MS = 5_000;
/** Asked for ahead; with their bytes they are what a leader holds in memory. */
const PULLED_MAX = 64;
const PULL_MS = 30_000;
const MAX_RECONNECTS = 0;

export class NatsSession {
  readonly closed: Promise<unknown>;
  /** When the stream was made. */
  readonly streamMade: string;
  readonly buckets: Readonly<Record<Shelf, KV>>;
  readonly #connection: NatsConnection;
  readonly #stream: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #assembly = new Assembly();

  private constructor(parts: {
    connection: NatsConnection;
    stream: JetStreamClient;
    manager: JetStreamManager;
    streamMade: string;
    buckets: Record<Shelf, KV>;
  }) {
    this.#connection = parts.connection;
    this.#stream = parts.stream;
    this.#manager = parts.manager;
    this.streamMade = parts.streamMade;
    this.buckets = parts.buckets;
    this.closed = parts.connection.closed();
  }

  /** Connected, with all that is needed at the server. Rejects with the library's error. */
  static async open(settings: NatsSettings, name: string): Promise<NatsSession> {
    const connection = await connect(optionsOf(settings, name));
    try {
      const payloadMax = connection.info?.max_payload ?? 0;
      if (payloadMax < PAYLOAD_BYTES_MIN)
        throw new Error(
          `it takes messages of at most ${payloadMax} bytes (max_payload); ${PAYLOAD_BYTES_MIN} are needed`,
        );
      const manager = await jetstreamManager(connection);
      const streamMade = await ensureStream(manager);
      const stream = jetstream(connection);
      const buckets = new Kvm(stream);
      const limits = { history: 1, max_bytes: BUCKET_BYTES_MAX, maxValueSize: FACT_BYTES_MAX + 1_024 };
      const lasting = await buckets.create(LASTING_BUCKET, limits);
      const fleeting = await buckets.create(FLEETING_BUCKET, { ...limits, ttl: FLEETING_MS });
      return new NatsSession({ connection, stream, manager, streamMade, buckets: { lasting, fleeting } });
    } catch (error) {
      await connection.close().catch(() => undefined);
      throw error;
    }
  }

  /** Packets for `machine` until the connection ends; `onLost`: the server has forgotten them, and all has to be made anew. */
  async receive(
    machine: string,
    onPacket: (packet: ReceivedPacket) => void,
    onLost: (why: string) => void,
  ): Promise<void> {
    await ensureConsumer(this.#manager, machine);
    const consumer = await this.#stream.consumers.get(STREAM, consumerOf(machine));
    const messages = await consumer.consume({
      max_messages: PULLED_MAX,
      expires: PULL_MS,
      abort_on_missing_resource: true,
      callback: (message) => {
        const from = senderIn(message.subject);
        const { data: bytes, headers, seq } = message;
        const whole = this.#assembly.add({ from, bytes, headers, seq, ack: () => message.ack() });
        if (whole) onPacket({ from, bytes: whole.bytes, done: whole.ack });
      },
    });
    const watch = async (): Promise<void> => {
      for await (const { type } of messages.status())
        if (type === "consumer_not_found" || type === "stream_not_found" || type === "consumer_deleted") onLost(type);
    };
    void watch().catch(() => undefined);
    void messages.closed().then((error) => onLost(error ? messageOf(error) : "closed"));
  }

  async publish(from: string, to: string, packet: Uint8Array, id: string): Promise<void> {
    const parts = partsOf(packet, id, this.#connection.info?.max_payload ?? PAYLOAD_BYTES_MIN);
    const subject = subjectOf(to, from);
    await Promise.all(
      parts.map(({ bytes, headers, id: msgID }) =>
        this.#stream.publish(subject, bytes, { msgID, timeout: PUBLISH_MS, ...(headers ? { headers } : {}) }),
      ),
    );
  }

  /** Still the stream that it was; rejects when the server does not say. */
  async isWhole(): Promise<boolean> {
    return (await this.#manager.streams.info(STREAM)).created === this.streamMade;
  }

  async close(): Promise<void> {
    await this.#connection.close().catch(() => undefined);
  }
}

function optionsOf({ url, creds, ca }: NatsSettings, name: string): ConnectionOptions {
  const { server, isTls, ...login } = natsAddress(url);
  return {
    servers: [server],
    name: `warren mail ${name}`,
    reconnect: false,
    maxReconnectAttempts: MAX_RECONNECTS,
    timeout: CONNECT_MS,
    pingInterval: PING_MS,
    maxPingOut: 2,
    ignoreClusterUpdates: true,
    ...login,
    ...(creds === undefined ? {} : { authenticator: credsAuthenticator(Buffer.from(creds)) }),
    ...(isTls || ca !== undefined ? { tls: ca === undefined ? {} : { ca } } : {}),
  };
}
