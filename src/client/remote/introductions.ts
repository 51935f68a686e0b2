import { shownSentence } from "../../contact/shown-text.ts";
import { messageOf, WarrenError } from "../../protocol/errors.ts";
import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import { fromHex, toHex } from "../../sealing/bytes.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import {
  INTRODUCED_MACHINES_MAX,
  INTRODUCTION_OFFER,
  type IntroductionFacts,
  isOfferSigned,
  type SignedOffer,
} from "../../sealing/introducing.ts";
import type { Scope } from "../../sealing/scopes.ts";
import type { RequestOptions } from "../client.ts";
import { machineBroken } from "./errors.ts";
import type { HubConnection } from "./hub-connection.ts";
import { nobody, notThere, tooMany } from "./introducing-errors.ts";
import type { MachineLink } from "./machine-link.ts";

/** What machines say of a device that this one introduces to them: each is asked on a connection of its own, which stays until that is over. */
export interface MachineClient {
  request<T extends "remote.introduce" | "remote.introduce_end">(
    type: T,
    payload: PayloadOf<T>,
    options?: RequestOptions,
  ): Promise<DataOf<T>>;
  close(): void;
}

/** By the machine's id and name. */
export type MachineWord = JoinedWord | LeftWord;
export interface JoinedWord {
  kind: "joined";
  machine: string;
  name: string;
  /** What the device is called there. */
  device: string;
  signed: SignedOffer;
}
export interface LeftWord {
  kind: "left";
  machine: string;
  name: string;
  code: string;
  sentence: string;
}

export interface IntroductionsOptions {
  machines: readonly MachineLink[];
  crypto: SealingCrypto;
  clientOf(machine: MachineLink): MachineClient;
  events: { onWord?(word: MachineWord): void };
}

export interface Asked {
  facts: IntroductionFacts;
  proof: Uint8Array;
  name: string;
  platform: string;
  scopes: readonly Scope[];
  waitMs: number;
}

export class Introductions {
  readonly #options: IntroductionsOptions;
  readonly #clients = new Map<string, MachineClient>();
  readonly #givenUp = new AbortController();
  readonly #id: string;

  constructor(options: IntroductionsOptions) {
    this.#options = options;
    this.#id = toHex(options.crypto.random(16));
  }

  /** Each in its own time; one that is away holds up nobody but its own word. */
  ask(asked: Asked): Promise<MachineWord[]> {
    const { machines, events } = this.#options;
    return Promise.all(
      machines.map(async (link) => {
        const word = await this.#ask(link, asked);
        events.onWord?.(word);
        return word;
      }),
    );
  }

  /** Those that have not said anything yet are not to let anybody in. */
  giveUp(): void {
    this.#givenUp.abort();
  }

  /** Of those that have taken it back meanwhile: why. */
  async kept(joined: readonly JoinedWord[]): Promise<LeftWord[]> {
    const words = await Promise.all(
      joined.map(async (word) => {
        try {
          await this.#clients
            .get(word.machine)!
            .request("remote.introduce_end", { introduction: this.#id, is_kept: true });
          return undefined;
        } catch (error) {
          return leftBy(word.machine, word.name, error);
        }
      }),
    );
    this.#close();
    return words.filter((word) => word !== undefined);
  }

  /** It is as it was before. A machine that cannot be told so finds out when its connection ends. */
  async takeBack(joined: readonly JoinedWord[]): Promise<void> {
    this.giveUp();
    await Promise.allSettled(
      joined.map(({ machine }) =>
        this.#clients.get(machine)!.request("remote.introduce_end", { introduction: this.#id, is_kept: false }),
      ),
    );
    this.#close();
  }

  async #ask(link: MachineLink, { facts, proof, name, platform, scopes, waitMs }: Asked): Promise<MachineWord> {
    const { crypto, clientOf } = this.#options;
    const { machine } = link;
    const client = clientOf(link);
    this.#clients.set(machine.id, client);
    try {
      const answer = await client.request(
        "remote.introduce",
        {
          introduction: this.#id,
          hub: toHex(facts.hub),
          handshake_hash: toHex(facts.handshakeHash),
          signing_key: toHex(facts.signingKey),
          exchange_key: toHex(facts.exchangeKey),
          login_key: toHex(facts.loginKey),
          proof: toHex(proof),
          name,
          platform,
          scopes: [...scopes],
          wait_ms: waitMs,
        },
        { signal: this.#givenUp.signal },
      );
      const { signed } = INTRODUCTION_OFFER.decode(fromHex(answer.offer) ?? new Uint8Array(0));
      const isIts = toHex(signed.offer.signingKey) === machine.id && (await isOfferSigned(crypto, { facts, signed }));
      if (!isIts) throw machineBroken(machine.name);
      return { kind: "joined", machine: machine.id, name: machine.name, device: answer.device.name, signed };
    } catch (error) {
      return leftBy(machine.id, machine.name, error);
    }
  }

  #close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }
}

/** @throws INTRODUCING_NOBODY, INTRODUCING_TOO_MANY, INTRODUCING_NOT_THERE */
export function checkMachines(hub: HubConnection, machines: readonly MachineLink[]): void {
  if (machines.length === 0) throw nobody();
  if (machines.length > INTRODUCED_MACHINES_MAX) throw tooMany(machines.length, INTRODUCED_MACHINES_MAX);
  const other = machines.find(({ machine }) => machine.spaces[hub.entry.fingerprint] === undefined);
  if (other) throw notThere(other.machine.name, hub.entry.label);
}

const leftBy = (machine: string, name: string, error: unknown): LeftWord => ({
  kind: "left",
  machine,
  name,
  code: error instanceof WarrenError ? error.code : "INTRODUCTION_FAILED",
  sentence: shownSentence(messageOf(error)),
});
