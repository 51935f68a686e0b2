import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { isWarrenError, messageOf, type WarrenError } from "../protocol/errors.ts";
import type { SealingCrypto, SigningKey } from "../sealing/crypto.ts";
import { decodeFrame, encodeFrame, type Frame, type FrameOf, HUB_TAKES } from "../sealing/frames.ts";
import { makeWelcome, NONCE_BYTES } from "../sealing/login.ts";
import { Admission } from "./admission.ts";
import { Audience } from "./audience.ts";
import { Channels } from "./channels.ts";
import { Connection, keyId, refusalFrame } from "./connection.ts";
import { Doorway } from "./doorway.ts";
import * as errors from "./errors.ts";
import { type HubFacts, hubFacts } from "./hub-facts.ts";
import { HUB_LIMITS, type HubLimits } from "./limits.ts";
import { Meetings } from "./meetings.ts";
import { Members } from "./members.ts";
import { Presence } from "./presence.ts";
import { Rates } from "./rates.ts";
import { Records } from "./records.ts";
import { Rendezvous } from "./rendezvous.ts";
import type { HubStore } from "./store.ts";
import type { HubPeer, HubWire, HubWireEvents } from "./wire.ts";

/**
 * The hub itself, whatever carries its frames: it lets in, passes on between members of a space, keeps sealed records, and reads nothing. Clock, crypto, store and
 * wires are parameters, so that a simulation runs it as it is.
 *
 * 1. What was answered `done` is on the disk.
 * 2. A connection may do what its login was for, and nothing before the login. Whatever breaks the form ends the connection, with a reason.
 * 3. Who is expelled is cut off before the expulsion is answered.
 * 4. Nobody makes it hold more than `limits` says, and nobody slow holds up anybody else.
 */
export interface HubOptions {
  key: SigningKey;
  crypto: SealingCrypto;
  store: HubStore;
  clock: Clock;
  log: Log;
  isOpen: boolean;
  limits?: HubLimits;
}

export class Hub {
  readonly #options: HubOptions;
  readonly #limits: HubLimits;
  readonly #connections = new Set<Connection>();
  readonly #audience = new Audience();
  readonly #channels: Channels;
  readonly #rendezvous: Rendezvous;
  readonly #presence: Presence;
  readonly #doorway: Doorway;
  readonly #admission: Admission;
  readonly #rates: Rates;
  readonly #meetings: Meetings;
  readonly #refusals = new Map<string, number>();
  readonly members: Members;
  readonly #records: Records;
  #isEnding = false;

  constructor(options: HubOptions) {
    const { clock, limits = HUB_LIMITS, store, log } = options;
    this.#options = options;
    this.#limits = limits;
    this.#channels = new Channels(limits);
    this.#rendezvous = new Rendezvous(clock, limits);
    this.#rates = new Rates(clock, limits);
    const [audience, channels, rendezvous] = [this.#audience, this.#channels, this.#rendezvous];
    this.#meetings = new Meetings({ audience, channels, rendezvous });
    this.#doorway = new Doorway(limits, this.#connections);
    this.#admission = new Admission({ ...options, nowMs: clock.wallMs });
    const onSilent = (connection: Connection): void => this.#cut(connection, "silent");
    this.#presence = new Presence({ clock, limits, connections: this.#connections, onSilent });
    const end = (connection: Connection, error: WarrenError): void => this.#refuse(connection, error);
    this.members = new Members({ store, clock, log, audience, end });
    this.#records = new Records({ store, clock, log, limits, audience });
  }

  /** A connection has come. What it does is said to the events that are answered. */
  accept(wire: HubWire, peer: HubPeer): HubWireEvents {
    const { clock, crypto } = this.#options;
    const connection = new Connection({
      wire,
      peer,
      nonce: crypto.random(NONCE_BYTES),
      nowMs: clock.monotonicMs(),
      limits: this.#limits,
      fetch: (cursor, limit) => this.#records.after(connection, { cursor, limit }),
      onTooSlow: () => this.#refuse(connection, errors.tooSlow(this.#limits.unreadBytes)),
    });
    const events: HubWireEvents = {
      onFrame: (bytes) => this.#hear(connection, bytes),
      onForeign: (what) => this.#refuse(connection, errors.frameInvalid(`${what} instead of a binary message.`)),
      onDrained: () => connection.outbox.pump(),
      onClosed: () => this.#leave(connection, "gone"),
    };
    try {
      if (this.#isEnding) throw errors.hubEnds();
      this.#doorway.checkStranger(peer.address);
    } catch (error) {
      this.#refuse(connection, error as WarrenError);
      return events;
    }
    this.#connections.add(connection);
    this.#presence.watch();
    const seconds = this.#limits.loginMs / 1_000;
    connection.cancelDeadline = clock.timer(this.#limits.loginMs, () =>
      this.#refuse(connection, errors.loginLate(seconds)),
    );
    connection.outbox.send({ kind: "hello", nonce: connection.nonce });
    return events;
  }

  /** Tells everybody, and cuts them off. The store is its owner's to close. */
  end(): void {
    this.#isEnding = true;
    for (const connection of [...this.#connections]) this.#refuse(connection, errors.hubEnds());
    this.#presence.close();
    this.#records.close();
  }

  isConnected(loginKey: Uint8Array, role: "machine" | "device"): boolean {
    return this.#audience.ofMember(keyId(loginKey), role).length > 0;
  }

  facts(): HubFacts {
    const [connections, channels, rendezvous] = [this.#connections, this.#channels, this.#rendezvous];
    return hubFacts({ connections, channels, rendezvous, refusals: this.#refusals });
  }

  #hear(connection: Connection, bytes: Uint8Array): void {
    if (connection.isClosed) return;
    connection.heardMs = this.#options.clock.monotonicMs();
    connection.pingedMs = undefined;
    const frame = this.#decode(connection, bytes);
    if (!frame) return;
    if (connection.isChecking) return this.#keepEarly(connection, bytes);
    if (!connection.identity) {
      if (frame.kind === "login") void this.#login(connection, frame);
      else this.#refuse(connection, errors.frameForbidden(frame.kind, "stranger"));
      return;
    }
    this.#slow(connection, bytes.length);
    if (HUB_TAKES[connection.identity.role].includes(frame.kind)) this.#take(connection, frame, bytes);
    else this.#refuse(connection, errors.frameForbidden(frame.kind, connection.identity.role));
  }

  #decode(connection: Connection, bytes: Uint8Array): Frame | undefined {
    try {
      return decodeFrame(bytes);
    } catch (error) {
      this.#refuse(connection, errors.frameInvalid(messageOf(error)));
      return undefined;
    }
  }

  /** What comes behind a login that is still being checked; a client that waits for its welcome sends nothing. */
  #keepEarly(connection: Connection, bytes: Uint8Array): void {
    connection.early.push(bytes);
    connection.earlyBytes += bytes.length;
    if (connection.earlyBytes > this.#limits.channelBytes)
      this.#refuse(connection, errors.frameInvalid("too much before the login was answered."));
  }

  async #login(connection: Connection, login: FrameOf<"login">): Promise<void> {
    connection.isChecking = true;
    connection.wire.pause();
    try {
      const { identity, facts } = await this.#admission.check(login, connection.nonce);
      if (connection.isClosed) return;
      const { bounds, cursor } = await this.#records.startFor(identity, login.cursor);
      const { crypto, key } = this.#options;
      const welcome = await makeWelcome(crypto, { hubKey: key, facts, cursor: login.cursor, ...bounds });
      if (connection.isClosed) return;
      this.#letIn(connection, this.#admission.identityOf(identity.role, identity.loginKey));
      connection.outbox.send({ kind: "welcome", ...welcome });
      this.#settle(connection, cursor);
    } catch (error) {
      if (!isWarrenError(error)) throw error;
      this.#refuse(connection, error);
    }
  }

  #letIn(connection: Connection, identity: Connection["identity"] & {}): void {
    const { role, id } = identity;
    const others = role === "guest" ? 0 : this.#audience.ofMember(id, role).length;
    this.#doorway.checkAdmitted(identity, connection.peer.address, others);
    connection.identity = identity;
    connection.rate = this.#rates.join(identity);
    connection.cancelDeadline?.();
    connection.cancelDeadline = undefined;
    if (role === "guest") {
      const { guestMs } = this.#limits;
      connection.cancelDeadline = this.#options.clock.timer(guestMs, () =>
        this.#refuse(connection, errors.stayOver(guestMs / 1_000)),
      );
    }
  }

  /** It has been welcomed: what it has missed, who is there, and what it said meanwhile. */
  #settle(connection: Connection, cursor: number): void {
    const identity = connection.identity!;
    const isFirst = identity.role === "machine" && !this.#audience.machine(identity.loginKey);
    this.#audience.join(connection, identity);
    this.members.seen(identity);
    if (identity.role === "device") this.members.tellPresence(connection);
    if (isFirst) this.members.tellSpace(identity.memberships, true);
    if (identity.role !== "guest") connection.outbox.startRecords(cursor);
    connection.isChecking = false;
    const { early } = connection;
    connection.early = [];
    for (const bytes of early) this.#hear(connection, bytes);
    if (!connection.cancelPause) connection.wire.resume();
  }

  #take(connection: Connection, frame: Frame, bytes: Uint8Array): void {
    switch (frame.kind) {
      case "ping":
        return connection.outbox.send({ kind: "pong", token: frame.token });
      case "pong":
        return;
      case "admit":
      case "expel":
        return this.#answer(connection, frame.request, this.members[frame.kind](connection, frame.loginKey.slice()));
      case "put":
        return this.#answer(connection, frame.request, this.#records.put(connection, frame.record));
      case "took":
        this.#records.took(connection, frame.place);
        return connection.outbox.took(frame.place);
      case "open":
        return this.#meetings.open(connection, frame);
      case "data":
        return this.#channels.data(connection, frame, bytes);
      case "credit":
        return this.#channels.credit(connection, frame);
      case "close":
        return this.#channels.close(connection, frame);
      case "rendezvous":
        return this.#answer(connection, frame.request, this.#meetings.wait(connection, frame));
      case "meet":
        return this.#meetings.meet(connection, frame);
      default:
        return this.#refuse(connection, errors.frameForbidden(frame.kind, connection.role));
    }
  }

  #answer(connection: Connection, request: number, work: Promise<unknown>): void {
    work.then(
      () => connection.done(request),
      (error) => {
        if (!isWarrenError(error)) throw error;
        this.#count(error.code);
        connection.failed(request, error);
      },
    );
  }

  /** A member that sends too fast is not read for a while. */
  #slow(connection: Connection, bytes: number): void {
    const pauseMs = connection.rate?.take(bytes) ?? 0;
    if (pauseMs === 0 || connection.cancelPause) return;
    connection.wire.pause();
    this.#count("SLOWED");
    connection.cancelPause = this.#options.clock.timer(pauseMs, () => {
      connection.cancelPause = undefined;
      connection.heardMs = this.#options.clock.monotonicMs();
      connection.wire.resume();
    });
  }

  #count(code: string): void {
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1);
  }

  /** Says why, and closes. */
  #refuse(connection: Connection, error: WarrenError): void {
    if (connection.isClosed) return;
    this.#count(error.code);
    this.#options.log.debug("refused", { code: error.code, role: connection.role });
    const reason = error.code === "HUB_ENDS" ? "hub_ends" : error.code === "EXPELLED" ? "expelled" : "gone";
    this.#leave(connection, reason);
    connection.wire.send(encodeFrame(refusalFrame(error)));
    connection.wire.close();
  }

  #cut(connection: Connection, why: string): void {
    this.#count(why.toUpperCase());
    this.#leave(connection, "gone");
    connection.wire.destroy();
  }

  #leave(connection: Connection, reason: "gone" | "expelled" | "hub_ends"): void {
    if (connection.isClosed) return;
    connection.isClosed = true;
    connection.cancelDeadline?.();
    connection.cancelPause?.();
    connection.outbox.end();
    this.#connections.delete(connection);
    this.#channels.endAll(connection, reason);
    const { identity } = connection;
    if (!identity) return;
    this.#rendezvous.leave(connection);
    this.#audience.leave(connection, identity);
    if (connection.rate) this.#rates.leave(identity);
    if (identity.role === "machine" && !this.#audience.machine(identity.loginKey))
      this.members.tellSpace(identity.memberships, false);
  }
}
