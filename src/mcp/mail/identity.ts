import { readFile } from "node:fs/promises";
import { projectOf } from "../../config/project-of.ts";
import { agentOf, type ProcessRef } from "../../hooks/agent-process.ts";
import { type KnownAgent, knownAgent, renameAgent } from "../../hooks/agent-record.ts";
import { lookForSession } from "../../local/find-session.ts";
import { keyFileOf, keyOf, namesOf, removeKey, renameKey } from "../../local/mail-keys.ts";
import type { Places } from "../../platform/paths.ts";
import { WarrenError } from "../../protocol/errors.ts";
import type { PayloadOf } from "../../protocol/messages.ts";

/**
 * Who this process speaks for. The name that was registered here; else, inside a session of Warren's, that session, by the name that it has now; else
 * what the command line said; else the name that the hooks of the agent that started us have taken, so that it has one inbox. Without any, mail tools say how to get one: a name is never guessed, since it would be somebody's inbox.
 */
export interface IdentityOptions {
  env: Readonly<NodeJS.ProcessEnv>;
  cwd: string;
  places: Places;
  /** `--as`. */
  given?: string | undefined;
  /** The process that has started us; default: the nearest that is no shell. */
  agent?: ProcessRef | undefined;
}

export interface Claim {
  name: string;
  /** What makes it ours. */
  proof: Pick<PayloadOf<"mail.register">, "key" | "unit">;
  /** A key made for it just now. */
  isNew: boolean;
}

export class Identity {
  readonly project: string;
  readonly #options: IdentityOptions;
  readonly #agent: ProcessRef | undefined;
  #registered: string | undefined;

  constructor(options: IdentityOptions) {
    this.#options = options;
    this.project = projectOf(options.cwd) ?? options.cwd;
    this.#registered = options.given;
    this.#agent = options.agent ?? agentOf(process.ppid);
  }

  /** Undefined when nobody has said. */
  name(): string | undefined {
    return this.#registered ?? this.#session()?.name ?? this.#hooked()?.record.name;
  }

  /** From now on it is this one. */
  take(name: string): void {
    this.#registered = name;
    this.#tellHooks(name);
  }

  /** The name with its proof. @throws NAME_NEEDED */
  async claim(name = this.name()): Promise<Claim> {
    if (name === undefined) throw await this.#nameNeeded();
    const session = this.#session();
    if (session?.name === name) return { name, proof: { unit: session.id }, isNew: false };
    const hooked = this.#hooked()?.record;
    if (hooked?.name === name && hooked.key_file !== undefined) {
      return { name, proof: { key: (await readFile(hooked.key_file, "utf8")).trim() }, isNew: false };
    }
    const { key, isNew } = await keyOf(this.#options.places, this.project, name);
    return { name, proof: { key }, isNew };
  }

  /** The name that is ours is another one now; its key goes along. */
  async rename(name: string): Promise<void> {
    const old = this.name();
    if (old !== undefined && old !== this.#session()?.name) {
      await renameKey(this.#options.places, this.project, { from: old, to: name });
    }
    this.#registered = name;
    this.#tellHooks(name);
  }

  /** The mailbox has refused it: somebody else's. A key that was made for it is worth nothing. */
  async refused({ name, isNew }: Claim): Promise<void> {
    if (isNew) await removeKey(this.#options.places, this.project, name);
  }

  namesBefore(): Promise<string[]> {
    return namesOf(this.#options.places, this.project);
  }

  #hooked(): KnownAgent | undefined {
    return knownAgent(this.#options.places, this.#agent);
  }

  #tellHooks(name: string): void {
    const hooked = this.#hooked();
    if (!hooked || hooked.record.name === name || this.#session()?.name === name) return;
    renameAgent(hooked, name, keyFileOf(this.#options.places, this.project, name));
  }

  #session(): { name: string; id: string } | undefined {
    const { env, places } = this.#options;
    const id = env.WARREN_SESSION;
    if (!id) return undefined;
    const name = lookForSession(places, id)?.name ?? env.WARREN_UNIT;
    return name ? { name, id } : undefined;
  }

  async #nameNeeded(): Promise<WarrenError> {
    const before = await this.namesBefore();
    const hint =
      before.length > 0 ? ` Names that agents of this project have had: ${before.slice(0, 5).join(", ")}.` : "";
    return new WarrenError("NAME_NEEDED", `It is not known who you are, so there is no inbox and no sender.${hint}`, {
      fix: "register",
    });
  }
}
