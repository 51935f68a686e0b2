import type { Chromium, Tab } from "./chromium.ts";
import { type HomeOptions, type TemporaryHome, temporaryHome } from "./home.ts";
import { newScriptedAgent } from "./scripted-agent.ts";
import type { Running } from "./warren.ts";

/** `warren web` of a home of its own, as it is shipped. */
export class Web implements AsyncDisposable {
  readonly house: TemporaryHome;
  #running: Running | undefined;

  static start(options: HomeOptions = {}): Promise<Web> {
    return Web.of(temporaryHome(options));
  }

  /** Of a home that is there; it is disposed of with this. */
  static async of(house: TemporaryHome): Promise<Web> {
    const web = new Web(house);
    await web.restart();
    return web;
  }

  private constructor(house: TemporaryHome) {
    this.house = house;
  }

  /** @param port default: a free one */
  async restart(port = 0): Promise<void> {
    this.#running?.child.kill("SIGTERM");
    await this.#running?.ended;
    this.#running = this.house.start(["web", "--port", String(port), "--json"], { deadlineMs: 300_000 });
    await this.#running.shows(/\n/);
  }

  /** The link that lets the next browser in. */
  get link(): string {
    return this.#said.at(-1)!.url;
  }

  get port(): number {
    return this.#said[0]!.port;
  }

  get pid(): number {
    return this.#running!.pid;
  }

  /** A tab that was let in, and shows the home. */
  async tab(browser: Chromium, size?: { width: number; height: number }): Promise<Tab> {
    const tab = await browser.tab(size);
    await tab.goto(this.link);
    await tab.until('document.querySelector(".connection")?.textContent === "○ connected"', "the app, connected");
    return tab;
  }

  /** A scripted agent (examples/agents). */
  async agent(name: string): Promise<void> {
    await newScriptedAgent(this.house, name);
  }

  get #said(): { url: string; port: number }[] {
    const lines = this.#running!.output().trim().split("\n");
    return lines.map((line) => JSON.parse(line) as { url: string; port: number });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.house[Symbol.asyncDispose]();
  }
}

/** Clicks what a person would: the first button or link that is called so. */
export const click = (tab: Tab, name: string): Promise<void> =>
  tab.until(
    `(() => { const found = [...document.querySelectorAll("button, a, summary, [role=option]")].find((one) => !one.disabled && (one.textContent.trim() === ${JSON.stringify(name)} || one.getAttribute("aria-label") === ${JSON.stringify(name)})); found?.click(); return found; })()`,
    `something to click that is called ${name}`,
  );

/** Opens a unit by its row. */
export const openUnit = (tab: Tab, name: string): Promise<void> =>
  tab.until(
    `(() => { const found = [...document.querySelectorAll("a.row")].find((row) => row.querySelector("b").textContent === ${JSON.stringify(name)}); found?.click(); return found; })()`,
    `the row of ${name}`,
  );

/** What a terminal shows, as its lines. */
export const TERMINAL_TEXT =
  '[...document.querySelectorAll(".xterm-rows > div")].map((row) => row.textContent).join("\\n")';
