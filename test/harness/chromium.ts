import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { waitUntil } from "./wait-until.ts";

/**
 * A real browser without a screen: Debian's Chromium, spoken to over a pipe in the DevTools protocol, so that no port is opened and it ends with us. Its profile
 * lives as long as the browser does, or as long as whoever names it wants.
 */
const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"];
const DEADLINE_MS = 20_000;
/** A browser that is not told to grow old: nothing is fetched, nothing is asked, no sandbox where we are root, which has none. */
const ARGUMENTS = [
  "--headless=new",
  "--remote-debugging-pipe",
  "--no-sandbox",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-extensions",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-features=Translate,MediaRouter,OptimizationHints",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost",
  "--hide-scrollbars",
  "--mute-audio",
];

/** Why these tests cannot run here, or false. */
export function missingChromium(): string | false {
  return program() === undefined ? "chromium is not installed (apt-get install chromium)" : false;
}

function program(): string | undefined {
  return PROGRAMS.find((name) => {
    try {
      execFileSync("sh", ["-c", `command -v ${name}`], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });
}

type Parameters = Record<string, unknown>;
interface Message {
  id?: number;
  sessionId?: string;
  method?: string;
  params?: Parameters;
  result?: Parameters;
  error?: { message: string };
}
type Listener = (method: string, params: Parameters) => void;

export interface LaunchOptions {
  profile?: string;
  /** Further switches. */
  args?: readonly string[];
}

export class Chromium implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #keepsProfile: boolean;
  readonly #pending = new Map<number, PromiseWithResolvers<Parameters>>();
  readonly #listeners = new Map<string, Listener>();
  #lastId = 0;
  #unread = "";

  private constructor(process: ChildProcess, profile: string, keepsProfile: boolean) {
    this.#process = process;
    this.#profile = profile;
    this.#keepsProfile = keepsProfile;
    const answers = process.stdio[4] as Readable;
    answers.setEncoding("utf8").on("data", (text: string) => this.#read(text));
    process.on("exit", (code, signal) => this.#failAll(`the browser ended (${signal ?? code})`));
    process.stdio[3]!.on("error", () => {}); // its end says more
  }

  /** @param profile a directory that stays, for a browser that is started again with all that it has kept */
  static async launch({ profile: kept, args = [] }: LaunchOptions = {}): Promise<Chromium> {
    const profile = kept ?? mkdtempSync(join(tmpdir(), "warren-chromium-"));
    const process = spawn(program()!, [...ARGUMENTS, ...args, `--user-data-dir=${profile}`], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      detached: true, // its children are ended with it
    });
    const browser = new Chromium(process, profile, kept !== undefined);
    await browser.send("Browser.getVersion");
    return browser;
  }

  /** A window of its own, by default as large as a small desktop's. */
  async tab({ width = 1_280, height = 800, scale = 1 } = {}): Promise<Tab> {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank", newWindow: true, width, height });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const tab = new Tab(this, sessionId as string, targetId as string);
    this.#listeners.set(sessionId as string, (method, params) => tab.noticed(method, params));
    await tab.open({ width, height, scale });
    return tab;
  }

  async send(method: string, params: Parameters = {}, sessionId?: string): Promise<Parameters> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<Parameters>();
    this.#pending.set(id, answer);
    const timer = setTimeout(() => answer.reject(new Error(`${method}: no answer in ${DEADLINE_MS} ms`)), DEADLINE_MS);
    (this.#process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    try {
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, exitCode, signalCode } = this.#process;
    if (exitCode === null && signalCode === null) {
      const ended = once(this.#process, "exit");
      process.kill(-pid!, "SIGKILL");
      await ended;
    }
    // What it had begun to write may still be coming in.
    if (!this.#keepsProfile) rmSync(this.#profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  #read(text: string): void {
    const messages = (this.#unread + text).split("\0");
    this.#unread = messages.pop()!;
    for (const message of messages) this.#take(JSON.parse(message) as Message);
  }

  #take({ id, sessionId, method, params, result, error }: Message): void {
    if (id === undefined) this.#listeners.get(sessionId ?? "")?.(method ?? "", params ?? {});
    else if (error !== undefined) this.#pending.get(id)?.reject(new Error(error.message));
    else this.#pending.get(id)?.resolve(result ?? {});
  }

  #failAll(reason: string): void {
    for (const one of this.#pending.values()) one.reject(new Error(reason));
  }
}

/** One tab, and everything that its address bar and its console have shown. */
export class Tab {
  readonly #browser: Chromium;
  readonly #session: string;
  readonly #target: string;
  /** Each document of the tab itself, in order: `chrome-error:` among them is a page that could not be had. */
  readonly documents: string[] = [];
  /** What the console complained of: errors that nobody caught, what a policy refused. */
  readonly complaints: string[] = [];

  constructor(browser: Chromium, session: string, target: string) {
    this.#browser = browser;
    this.#session = session;
    this.#target = target;
  }

  /** @param scale pixels of a picture for each of the page's */
  async open({ width, height, scale }: { width: number; height: number; scale: number }): Promise<void> {
    for (const domain of ["Page", "Runtime", "Log"]) await this.#send(`${domain}.enable`);
    await this.#send("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: scale,
      mobile: width < 600,
    });
  }

  /**
   * Resolves when the browser has an answer, or, within one document, when the page has heard of the new address:
   * what stands there afterwards is not the page before. `shows` waits for what it is.
   */
  async goto(url: string): Promise<void> {
    const isWithin = await this.evaluate<boolean>(
      `location.href.split("#")[0] === ${JSON.stringify(url)}.split("#")[0] && location.href !== ${JSON.stringify(url)}`,
    ).catch(() => false);
    if (!isWithin) return void (await this.#send("Page.navigate", { url }));
    // Its own listeners were there first; a page that goes elsewhere at this word takes the answer with it.
    await this.evaluate(`new Promise((heard) => {
      addEventListener("hashchange", () => setTimeout(heard), { once: true });
      location.href = ${JSON.stringify(url)};
    })`).catch(() => undefined);
  }

  /** Runs in every document from now on, before its own scripts. */
  async beforeEachDocument(source: string): Promise<void> {
    await this.#send("Page.addScriptToEvaluateOnNewDocument", { source });
  }

  /** Nothing whose address matches (`*`: anything) is had any more, neither from its server nor from the service worker. */
  async block(pattern: string): Promise<void> {
    await this.#send("Network.enable");
    await this.#send("Network.setBypassServiceWorker", { bypass: true });
    await this.#send("Network.setBlockedURLs", { urls: [pattern] });
  }

  /** What an expression has as its value in the page as it is now. Rejects while the page is being replaced. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = (await this.#send("Runtime.evaluate", {
      expression,
      returnByValue: true,
      awaitPromise: true,
    })) as { result: { value: T }; exceptionDetails?: { text: string; exception?: { description?: string } } };
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Looks until the expression is true of a page that has loaded. */
  async until(expression: string, what: string): Promise<void> {
    const isSo = () =>
      this.evaluate<boolean>(`document.readyState === "complete" && Boolean(${expression})`).catch(() => false);
    await waitUntil(isSo, { what, everyMs: 20 }).catch(async (error) => {
      const shown = await this.evaluate<string>("location.href + '\\n' + document.body.innerText").catch(String);
      throw new Error(`${error.message}\nshown: ${shown.slice(0, 1_000)}\ndocuments: ${this.documents.join(" ")}`);
    });
  }

  /** Looks until the text stands in the page. */
  shows(text: string): Promise<void> {
    return this.until(`document.body.innerText.includes(${JSON.stringify(text)})`, `the text ${text}`);
  }

  /** Another tab is looked at, or this one again. */
  async setSeen(isSeen: boolean): Promise<void> {
    // A window without a screen is always seen: the page is told otherwise, as the browser tells it.
    const state = isSeen ? "visible" : "hidden";
    await this.evaluate(`Object.defineProperty(document, "hidden", { value: ${!isSeen}, configurable: true });
      Object.defineProperty(document, "visibilityState", { value: "${state}", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"))`);
  }

  async prefer(scheme: "dark" | "light"): Promise<void> {
    await this.#send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
  }

  /** As if it were typed, or pasted by a keyboard of a phone. */
  async insert(text: string): Promise<void> {
    await this.#send("Input.insertText", { text });
  }

  /** One key by its name (`Enter`, `Tab`, `j`); `modifiers` as DevTools counts them: 1 alt, 2 ctrl, 4 meta, 8 shift. */
  async press(key: string, modifiers = 0): Promise<void> {
    const text = key === "Enter" ? "\r" : key.length === 1 && modifiers % 8 === 0 ? key : undefined;
    const code = { Enter: 13, Tab: 9, Escape: 27, ArrowDown: 40, ArrowUp: 38 }[key] ?? key.toUpperCase().charCodeAt(0);
    const event = { key, modifiers, windowsVirtualKeyCode: code };
    await this.#send("Input.dispatchKeyEvent", { type: "keyDown", ...event, ...(text === undefined ? {} : { text }) });
    await this.#send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  /** Gives files to a field for them, as its dialog would. */
  async chooseFiles(selector: string, files: readonly string[]): Promise<void> {
    const expression = `document.querySelector(${JSON.stringify(selector)})`;
    const { result } = (await this.#send("Runtime.evaluate", { expression })) as { result: { objectId: string } };
    await this.#send("DOM.setFileInputFiles", { files, objectId: result.objectId });
  }

  async setScripting(isOn: boolean): Promise<void> {
    await this.#send("Emulation.setScriptExecutionDisabled", { value: !isOn });
  }

  /** Texts whose colour is too near to what is behind them (WCAG 2.2 §1.4.3: 4.5:1). */
  lowContrasts(): Promise<string[]> {
    return this.evaluate(LOW_CONTRASTS);
  }

  /** What is seen, or the whole page, as a PNG file. */
  async screenshot(path: string, { isWhole = false } = {}): Promise<void> {
    const { data } = await this.#send("Page.captureScreenshot", { format: "png", captureBeyondViewport: isWhole });
    writeFileSync(path, Buffer.from(data as string, "base64"));
  }

  async close(): Promise<void> {
    await this.#browser.send("Target.closeTarget", { targetId: this.#target });
  }

  noticed(method: string, params: Parameters): void {
    if (method === "Page.frameNavigated") {
      const { frame } = params as { frame: { url: string; parentId?: string; unreachableUrl?: string } };
      if (frame.parentId === undefined)
        this.documents.push(frame.unreachableUrl === undefined ? frame.url : `chrome-error: ${frame.unreachableUrl}`);
    } else if (method === "Runtime.exceptionThrown") {
      this.complaints.push(JSON.stringify((params as { exceptionDetails: unknown }).exceptionDetails));
    } else if (method === "Log.entryAdded") {
      const { entry } = params as { entry: { level: string; text: string; url?: string } };
      if (entry.level === "error") this.complaints.push(`${entry.text} ${entry.url ?? ""}`);
    }
  }

  #send(method: string, params: Parameters = {}): Promise<Parameters> {
    return this.#browser.send(method, params, this.#session);
  }
}

const LOW_CONTRASTS = `(() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [red, green, blue] = numbers(colour).map((value) => value / 255).map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (numbers(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "")) continue;
    const [one, other] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => b - a);
    if ((one + 0.05) / (other + 0.05) < 4.5) low.push(element.tagName + "." + element.className + " " + element.textContent.slice(0, 30));
  }
  return low;
})()`;
