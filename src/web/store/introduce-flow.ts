import type { Coordinator } from "../../client/remote/coordinator.ts";
import type { Candidate, Introducing, IntroducingResult } from "../../client/remote/introducing.ts";
import type { MachineWord } from "../../client/remote/introductions.ts";
import { DEVICE_LIMITS } from "../../client/remote/limits.ts";
import { messageOf } from "../../protocol/errors.ts";
import { isLoopback } from "../../sealing/pairing-code.ts";
import type { Scope } from "../../sealing/scopes.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import { appClient } from "../link/app-client.ts";
import { pageClock } from "../link/page-clock.ts";
import { browserName } from "./pair-flow.ts";
import type { Remote } from "./remote.ts";
import { Store } from "./store.ts";

/** This browser introduces another device to several of its machines by one code: as its page shows it. Whoever leaves the page takes the code back. */
export type IntroduceView =
  | { kind: "none" }
  | { kind: "making" }
  | ({ kind: "offered" } & IntroducedCode)
  | ({ kind: "met"; candidate: Candidate } & IntroducedCode)
  /** The person has said yes; what the machines have said so far. */
  | ({ kind: "asking"; candidate: Candidate; words: readonly MachineWord[] } & IntroducedCode)
  | { kind: "joined"; result: IntroducingResult }
  | { kind: "ended"; text: string };

export interface IntroducedCode {
  hub: string;
  machines: readonly string[];
  scopes: readonly Scope[];
  link: string;
  /** What the picture holds. */
  qr: string;
  /** Only browsers of this machine can open the link. */
  isLocal: boolean;
  expiresMs: number;
}

export class IntroduceFlow {
  readonly #remote: Pick<Remote, "takeOver">;
  readonly #version: string;
  readonly #view = new Store<IntroduceView, IntroduceView>({ kind: "none" }, (_before, now) => now);
  #introducing: Introducing | undefined;
  #isClosed = false;

  constructor(remote: Pick<Remote, "takeOver">, version: string) {
    this.#remote = remote;
    this.#version = version;
  }

  readonly get = (): IntroduceView => this.#view.get();
  readonly subscribe = (listener: () => void): (() => void) => this.#view.subscribe(listener);

  /** @param hub its fingerprint @param machines their ids */
  async begin(hub: string, machines: readonly string[], scopes: readonly Scope[]): Promise<void> {
    this.#tell({ kind: "making" });
    try {
      const introducing = await this.#offer(await this.#remote.takeOver(), { hub, machines, scopes });
      if (this.#isClosed) return introducing.cancel();
      this.#introducing = introducing;
      const result = await introducing.over;
      this.#tell({ kind: "joined", result });
    } catch (error) {
      this.#tell({ kind: "ended", text: messageOf(error) });
    }
  }

  confirm(): void {
    const view = this.get();
    if (view.kind !== "met") return;
    this.#tell({ ...view, kind: "asking", words: [] });
    this.#introducing?.confirm();
  }

  cancel(): void {
    this.#introducing?.cancel();
  }

  /** What the page says of the last one is read. */
  forget(): void {
    this.#tell({ kind: "none" });
  }

  close(): void {
    this.#isClosed = true;
    this.#introducing?.cancel();
  }

  async #offer(
    coordinator: Coordinator,
    { hub: fingerprint, machines: ids, scopes }: { hub: string; machines: readonly string[]; scopes: readonly Scope[] },
  ): Promise<Introducing> {
    const { Introducing: OneIntroducing } = await import("../../client/remote/introducing.ts");
    const hub = coordinator.hub(fingerprint)!;
    const links = ids.map((id) => coordinator.machineNamed(id));
    const introducing = await OneIntroducing.offer({
      name: browserName(navigator.userAgent).name,
      hub,
      machines: links,
      scopes,
      crypto: webCrypto(),
      clock: pageClock,
      limits: DEVICE_LIMITS,
      clientOf: (link) => appClient(link.dialLines(), this.#version),
      events: {
        onMet: (candidate) => {
          const view = this.get();
          if (view.kind === "offered") this.#tell({ ...view, kind: "met", candidate });
        },
        onWord: (word) => {
          const view = this.get();
          if (view.kind === "asking") this.#tell({ ...view, words: [...view.words, word] });
        },
      },
    });
    const { code, expires } = introducing;
    this.#tell({
      kind: "offered",
      hub: hub.entry.label,
      machines: links.map(({ machine }) => machine.name),
      scopes,
      link: code.link,
      qr: code.qr,
      isLocal: isLoopback(new URL(hub.entry.addresses[0]!).hostname),
      expiresMs: expires * 1_000,
    });
    return introducing;
  }

  #tell(view: IntroduceView): void {
    if (!this.#isClosed) this.#view.dispatch(view);
  }
}
