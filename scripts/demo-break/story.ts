import { copyFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../src/client/client.ts";
import type { Session } from "../../src/protocol/units.ts";
import { AGENTS, FIRST_PROMPT, newAgent, webApp } from "../demo-story.mjs";
import type { House } from "./house.ts";

/** The demo's story in a house of its own, told by the commands of `npm start`. */
export const QUESTION = "Deploy the new page?";
const ASKED_WITHIN = "120s";

export class Story implements AsyncDisposable {
  /** What each agent is doing, as whoever follows the stream of sessions is told. */
  readonly states = new Map<string, string>();
  readonly #house: House;
  readonly #follower: Client;
  readonly #stop = new AbortController();
  #following: Promise<void> | undefined;

  constructor(house: House) {
    this.#house = house;
    this.#follower = house.client();
  }

  /** Everything is there and nothing has been said; the address of the page. */
  async furnish(): Promise<string> {
    const { examples } = this.#house;
    copyFileSync(join(examples, "site", "page.template.html"), join(examples, "site", "page.html"));
    await this.#house.well(["up", "--detach"]);
    await this.#house.well(["wait", "index", "--for", "healthy", "--timeout", ASKED_WITHIN]);
    for (const name of AGENTS) await this.#house.well(newAgent(name));
    await this.#house.well(webApp("0"));
    this.#following = this.#follow();
    const { gateways } = await this.#house.client().request("gateway.status", {});
    return gateways[0]!.url;
  }

  /** Up to the question. */
  async untilAsked(): Promise<void> {
    await this.#house.well(FIRST_PROMPT);
    await this.#house.well(["wait", "owl", "--for", "needs-you", "--timeout", ASKED_WITHIN]);
  }

  /** From the answer to its end. */
  async answer(): Promise<void> {
    await this.#house.well(["approve", "owl"]);
    for (const name of AGENTS) await this.#house.well(["wait", name, "--for", "idle", "--timeout", ASKED_WITHIN]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  async #follow(): Promise<void> {
    for await (const item of this.#follower.subscribe({ streams: ["sessions"] }, this.#stop.signal)) {
      const sessions =
        item.kind === "event"
          ? [(item.event.data as { session?: Session }).session]
          : (item.snapshot as { sessions: Session[] }).sessions;
      for (const session of sessions) if (session) this.states.set(session.name, session.state.replace("_", " "));
    }
  }
}
