import { type Clock, systemClock } from "../../platform/clock.ts";
import { isWarrenError, messageOf, type WarrenError } from "../../protocol/errors.ts";
import type { Participant } from "../../protocol/mail-units.ts";
import { ADDRESSES_MAX, UNREAD_MAX } from "../log/limits.ts";
import { MAIL_NAME_PATTERN } from "../log/names.ts";
import { isObject, toMail } from "./ipc-content.ts";
import { type IpcLog, IpcMail, type IpcSession, sessionOf } from "./ipc-log.ts";
import type { StoreLarge } from "./large-message.ts";
import { type Offered, OfferedMail } from "./offered-mail.ts";
import { pythonDumps, pythonTypeOf } from "./python-json.ts";
import type { IpcReply } from "./replies.ts";
import * as replies from "./replies.ts";
import { RequestLimits, STRICT } from "./request-limits.ts";
import { hashToken, provesSecret, randomToken, TOKEN_LIFE_MS } from "./session-tokens.ts";

/**
 * claude-ipc's actions, on our log. One per leader; each connection asks it (`IpcConversation`).
 *
 * 1. Who asks is who the token says; `from_id`, `instance_id` and `old_id` in a request are replaced by that.
 * 2. What is answered `ok` is committed.
 * 3. What `check` gives stays unread until `confirm`.
 * 4. A name is given anew only when the process that has it is gone, and never when it belongs to a key or a unit.
 */

export interface IpcDeskOptions {
  log: IpcLog;
  storeLarge: StoreLarge;
  clock?: Clock;
  /** With it, a name is given to those alone who know it, and `list` asks for a session. */
  secret?: string | undefined;
  /** Their limits too: 100 unread messages, 100 requests a minute, a new name once an hour. */
  isStrict?: boolean;
}

/** Who is at the other end, as far as that can be found. */
export interface IpcPeer {
  process(): Promise<PeerProcess | undefined>;
}

export interface PeerProcess {
  pid: number;
  /** Ticks after boot, as /proc has it. */
  pidStart: string;
}

export interface IpcAnswer {
  reply: IpcReply;
  /** Mail that is in the reply. */
  offered?: Offered | undefined;
}

type Request = Record<string, unknown>;
type Action = (request: Request, session: IpcSession) => Promise<IpcAnswer>;

const nobody: IpcPeer = { process: async () => undefined };

export class IpcDesk {
  readonly offeredMail: OfferedMail;
  readonly clock: Clock;
  readonly #mail: IpcMail;
  readonly #secret: string | undefined;
  readonly #limits: RequestLimits | undefined;
  readonly #actions: ReadonlyMap<unknown, Action>;

  constructor(options: IpcDeskOptions) {
    this.clock = options.clock ?? systemClock;
    this.#mail = new IpcMail(options.log, () => this.clock.wallMs());
    this.offeredMail = new OfferedMail({ mail: this.#mail, storeLarge: options.storeLarge, clock: this.clock });
    this.#secret = options.secret === "" ? undefined : options.secret;
    this.#limits = options.isStrict === true ? new RequestLimits(this.clock) : undefined;
    this.#actions = new Map<unknown, Action>([
      ["send", (request, session) => this.#send(request, session)],
      ["broadcast", (request, session) => this.#broadcast(request, session)],
      ["check", (request, session) => this.#check(request, session)],
      ["list", () => this.#list()],
      ["rename", (request, session) => this.#rename(request, session)],
    ]);
  }

  /** Carries out one request. Never rejects: what goes wrong is the reply. */
  async answer(request: unknown, peer: IpcPeer = nobody): Promise<IpcAnswer> {
    if (!isObject(request)) return refused(replies.noAttribute(pythonTypeOf(request)));
    try {
      if (request.action === "register") return await this.#register(request, peer);
      return await this.#asSession(request);
    } catch (error) {
      return refused(error instanceof MissingKey ? replies.missingKey(error.key) : wordsFor(error));
    }
  }

  async #asSession(request: Request): Promise<IpcAnswer> {
    const session = await this.#sessionOf(request.session_token);
    if (session === undefined) {
      // Their own MCP server asks for the list without a token.
      if (request.action === "list" && this.#secret === undefined) return await this.#list();
      return refused(replies.NO_SESSION);
    }
    if (this.#limits?.admits(session.name) === false) return refused(replies.TOO_MANY_REQUESTS);
    const act = this.#actions.get(request.action);
    if (act === undefined) return refused(replies.unknownAction(pythonText(request.action)));
    return await act(request, session);
  }

  async #sessionOf(token: unknown): Promise<IpcSession | undefined> {
    if (typeof token !== "string" || token === "") return undefined;
    const hash = hashToken(token);
    const { name } = await this.#mail.read("log.token", { hash, now_ms: this.clock.wallMs() });
    return name === undefined ? undefined : sessionOf(name, hash);
  }

  async #register(request: Request, peer: IpcPeer): Promise<IpcAnswer> {
    const name = needed(request, "instance_id");
    if (!isName(name)) return refused(replies.BAD_NAME);
    if (this.#limits?.admits(`register_${name}`) === false) return refused(replies.TOO_MANY_REGISTRATIONS);
    if (this.#secret !== undefined && !provesSecret(name, this.#secret, request.auth_token))
      return refused(replies.BAD_SECRET);
    const holder = await peer.process();
    const token = randomToken();
    const hash = hashToken(token);
    const session = sessionOf(name, hash);
    const queued = await this.#take(session, holder);
    if (typeof queued !== "number") return refused(queued.refusal);
    const expiresMs = this.clock.wallMs() + TOKEN_LIFE_MS;
    await this.#mail.perform("log.save_token", session, { hash, name, expires_at_ms: expiresMs });
    return { reply: { status: "ok", session_token: token, message: replies.registered(name, queued) } };
  }

  /** How much mail waits under the name, or why it is another's. */
  async #take(session: IpcSession, holder: PeerProcess | undefined): Promise<number | { refusal: string }> {
    try {
      const { participant } = await this.#mail.perform("mail.register", session, {
        name: session.name,
        ...(holder === undefined ? {} : { pid: holder.pid, pid_start: holder.pidStart }),
      });
      return participant.unread;
    } catch (error) {
      if (!isTaken(error)) throw error;
      return { refusal: `${replies.instanceExists(session.name)}: ${error.message}` };
    }
  }

  async #send(request: Request, session: IpcSession): Promise<IpcAnswer> {
    needed(request, "from_id");
    const to = needed(request, "to_id");
    const message = needed(request, "message");
    if (!isName(to)) return refused(replies.BAD_RECIPIENT);
    if (!isObject(message)) return refused(replies.noAttribute(pythonTypeOf(message)));
    if (this.#limits !== undefined && (await this.#unreadOf(to)) >= STRICT.unreadMax)
      return refused(replies.queueFull(to, STRICT.unreadMax));
    const { recipients } = await this.#mail.perform("mail.send", session, {
      as: session.name,
      to: [to],
      ...toMail(message),
    });
    const recipient = recipients[0];
    return agreed(replies.sent(to, recipient?.name ?? to, recipient?.known ?? false));
  }

  async #broadcast(request: Request, session: IpcSession): Promise<IpcAnswer> {
    needed(request, "from_id");
    const message = needed(request, "message");
    if (!isObject(message)) return refused(replies.noAttribute(pythonTypeOf(message)));
    const { recipients } = await this.#mail.perform("mail.send", session, {
      as: session.name,
      to: ["@all"],
      ...toMail(message),
    });
    return agreed(replies.broadcast(recipients.filter(({ problem }) => problem === undefined).length));
  }

  async #check(request: Request, session: IpcSession): Promise<IpcAnswer> {
    needed(request, "instance_id");
    const { messages, remaining, offered } = await this.offeredMail.check(session, request.max_bytes);
    return { reply: { status: "ok", messages, ...(remaining === 0 ? {} : { remaining }) }, offered };
  }

  async #list(): Promise<IpcAnswer> {
    const instances = (await this.#participants()).filter(isRegistered).map(({ name, last_seen, registered_at }) => ({
      id: name,
      last_seen: replies.naiveTimestamp(Date.parse(last_seen ?? registered_at!)),
    }));
    return { reply: { status: "ok", instances } };
  }

  async #rename(request: Request, session: IpcSession): Promise<IpcAnswer> {
    needed(request, "old_id");
    const to = needed(request, "new_id");
    const { name } = session;
    if (!isName(to)) return refused(replies.BAD_NEW_NAME);
    const participants = await this.#participants();
    const isThere = (wanted: string): boolean =>
      participants.some((each) => each.name === wanted && isRegistered(each));
    if (!isThere(name)) return refused(replies.noInstance(name));
    if (isThere(to)) return refused(replies.instanceExists(to));
    const minutes = this.#limits?.minutesUntilRename(name) ?? 0;
    if (minutes > 0) return refused(replies.renameLimit(minutes));
    try {
      await this.#mail.perform("mail.rename", session, { as: name, name: to });
    } catch (error) {
      if (isTaken(error)) return refused(replies.instanceExists(to));
      throw error;
    }
    this.#limits?.renamed(name, to);
    await this.#tellOthers(
      participants.map((each) => each.name).filter((each) => each !== name && each !== to),
      replies.renameNotice(name, to),
    );
    return agreed(replies.renamed(name, to));
  }

  /** The name is changed, whether or not all of them can be told. */
  async #tellOthers(names: readonly string[], text: string): Promise<void> {
    for (let at = 0; at < names.length; at += ADDRESSES_MAX)
      await this.#mail.notify(names.slice(at, at + ADDRESSES_MAX), text).catch(() => undefined);
  }

  async #participants(): Promise<Participant[]> {
    const { participants } = await this.#mail.read("mail.list", {});
    return participants.filter(({ name }) => !name.includes("@")); // of other machines: its protocol has no such names
  }

  async #unreadOf(name: string): Promise<number> {
    return (await this.#participants()).find((each) => each.name === name)?.unread ?? 0;
  }
}

/** A key that Python's `request["key"]` would have missed. */
class MissingKey extends Error {
  readonly key: string;

  constructor(key: string) {
    super(key);
    this.key = key;
  }
}

function needed(request: Request, key: string): unknown {
  if (!Object.hasOwn(request, key)) throw new MissingKey(key);
  return request[key];
}

const refused = (message: string): IpcAnswer => ({ reply: replies.refusal(message) });
const agreed = (message: string): IpcAnswer => ({ reply: replies.done(message) });
const isName = (value: unknown): value is string => typeof value === "string" && MAIL_NAME_PATTERN.test(value);

/** Somebody has had the name, and has it still. */
const isRegistered = ({ registered_at, forwards_to }: Participant): boolean =>
  registered_at !== undefined && forwards_to === undefined;

const isTaken = (error: unknown): error is WarrenError =>
  ["NAME_TAKEN", "NAME_OWNED", "NAME_RESERVED"].some((code) => isWarrenError(error, code));

/** `str(value)`, as Python puts it into a sentence. */
function pythonText(value: unknown): string {
  if (value === undefined || value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "string" ? value : pythonDumps(value);
}

/** Ours in their words where they have some. */
function wordsFor(error: unknown): string {
  if (isWarrenError(error, "MAILBOX_FULL"))
    return replies.queueFull(String(error.detail?.to ?? "recipient"), UNREAD_MAX);
  if (isWarrenError(error, "MESSAGE_TOO_LARGE")) return replies.tooLong("1 MiB");
  return messageOf(error);
}
