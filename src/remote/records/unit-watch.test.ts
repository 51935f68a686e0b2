import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../platform/log.ts";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { LineSplitter } from "../../protocol/lines.ts";
import { utf8 } from "../../sealing/bytes.ts";
import type { UnitRow } from "../../sealing/unit-row.ts";
import type { ConnectUnit } from "../network.ts";
import type { ReadTalk } from "./talk-book.ts";
import { UnitWatch } from "./unit-watch.ts";

const NAMES = { primary: "blazing", other: "calm" };

/** Two servers of a home: the primary with a job, another with a session. */
class Home {
  readonly clock = new HandClock();
  readonly lists: Record<string, string>[] = [];
  /** Those that were subscribed to, alone. */
  readonly events = new Map<string, (stream?: string, event?: string) => void>();
  readonly cuts = new Map<string, () => void>();
  jobs = [{ id: "web", kind: "job", name: "web", state: "running" }];
  sessions: Record<string, object[]> = {
    primary: [],
    other: [{ id: "fox", kind: "session", name: "fox", state: "idle" }],
  };
  isOtherAway = false;
  /** What the registry says that the other has; default: what it has. */
  registered: string[] | undefined;
  /** It is stopped: it takes what comes and says nothing, until it is woken. */
  isOtherSilent = false;
  readonly unsaid: (() => void)[] = [];
  read: ReadTalk | undefined;

  connect: ConnectUnit = async (target, { onBytes, onClosed }) => {
    const isOther = this.sessions.other!.some((one) => (one as { id: string }).id === target);
    const server = isOther ? "other" : "primary";
    if (server === "other" && this.isOtherAway) throw new Error("it is being replaced");
    const splitter = new LineSplitter();
    const say = (value: object): void =>
      queueMicrotask(() => {
        const out = (): void => onBytes(utf8(`${JSON.stringify(value)}\n`));
        if (server === "primary" || !this.isOtherSilent) out();
        else this.unsaid.push(out);
      });
    const close = (): void => {
      this.events.delete(server);
      queueMicrotask(onClosed);
    };
    this.cuts.set(server, close);
    return {
      write: (bytes) => {
        for (const line of splitter.push(bytes)) {
          const { id, type, payload } = JSON.parse(line);
          if (type === "hello") say({ success: true, data: { server: NAMES[server], scopes: payload.scopes } });
          else say({ id, success: true, data: this.#answer(server, type) });
          if (type === "subscribe")
            this.events.set(server, (stream = "sessions", event = "x") => {
              if (payload.streams.includes(stream)) say({ event, stream, seq: 1, data: {} });
            });
        }
      },
      pause() {},
      resume() {},
      close,
    };
  };

  #answer(server: string, type: string): object {
    if (type === "unit.list") return { units: this.jobs };
    if (type === "session.conversation") return { conversation: { server } };
    if (type === "session.list") return { sessions: this.sessions[server] };
    const ids = this.registered ?? this.sessions.other!.map((one) => (one as { id: string }).id);
    const servers = [
      { name: NAMES.primary, primary: true, sessions: [] },
      { name: NAMES.other, primary: false, sessions: ids },
    ];
    return { streams: { sessions: { seq: 1, snapshot: { servers } } } };
  }

  watch(): UnitWatch {
    const { connect, clock } = this;
    const onRows = (rows: UnitRow[]): void =>
      void this.lists.push(Object.fromEntries(rows.map((row) => [row.id, row.state])));
    const onSessions = (_: unknown, read: ReadTalk): void => {
      this.read = read;
    };
    return new UnitWatch({ connect, clock, log: silentLog, onRows, onSessions });
  }

  wakeOther(): void {
    this.isOtherSilent = false;
    for (const out of this.unsaid.splice(0)) out();
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 50) {
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
      await this.clock.passSlowly(50);
    }
  }
}

test("units: of all servers, and again whenever one tells of a change, many at once as one", async () => {
  const home = new Home();
  const watch = home.watch();
  await home.pass(1_000);
  assert.deepEqual(home.lists.at(-1), { web: "running", fox: "idle" });
  const { length } = home.lists;
  home.jobs[0]!.state = "ended";
  for (let count = 0; count < 20; count++) home.events.get("primary")!();
  await home.pass(1_000);
  assert.deepEqual([home.lists.length, home.lists.at(-1)], [length + 1, { web: "ended", fox: "idle" }]);
  home.sessions.other = [{ id: "fox", kind: "session", name: "fox", state: "needs_you" }];
  home.events.get("other")!();
  await home.pass(1_000);
  assert.equal(home.lists.at(-1)!.fox, "needs_you");
  home.jobs = [];
  await home.pass(31_000);
  assert.deepEqual(home.lists.at(-1), { fox: "needs_you" }, "what no stream tells of is seen all the same");
  watch.close();
});

test("units: what a save makes of a worker is told as one, and not when everything is looked at", async () => {
  const home = new Home();
  home.jobs = [{ id: "site/api", kind: "worker", name: "api", state: "healthy" }];
  const watch = home.watch();
  await home.pass(1_000);
  const { length } = home.lists;
  for (const [event, state] of [
    ["build_started", "building"],
    ["switched", "healthy"],
    ["instance_retired", "stopped"],
  ]) {
    home.jobs[0]!.state = state!;
    home.events.get("primary")!("gateway", event);
    await home.pass(300);
  }
  await home.pass(2_000);
  assert.deepEqual([home.lists.length, home.lists.at(-1)!["site/api"]], [length + 1, "stopped"]);
  watch.close();
});

test("units: a server that is being replaced keeps its rows, and the primary is connected to again", async () => {
  const home = new Home();
  const watch = home.watch();
  await home.pass(1_000);
  home.isOtherAway = true;
  home.cuts.get("other")!();
  await home.pass(2_000);
  assert.deepEqual(home.lists.at(-1), { web: "running", fox: "idle" });
  home.isOtherAway = false;
  home.sessions.other = [{ id: "fox", kind: "session", name: "fox", state: "working" }];
  home.cuts.get("primary")!();
  await home.pass(4_000);
  assert.deepEqual(home.lists.at(-1), { web: "running", fox: "working" });
  watch.close();
});

test("units: a server that does not answer holds up nothing of the others, and keeps its rows", async () => {
  const home = new Home();
  const watch = home.watch();
  await home.pass(1_000);
  home.isOtherSilent = true;
  home.jobs = [{ id: "web", kind: "job", name: "web", state: "ended" }];
  home.events.get("primary")!();
  await home.pass(4_000);
  assert.deepEqual(home.lists.at(-1), { web: "ended", fox: "idle" });
  home.cuts.get("other")!();
  await home.pass(15_000);
  home.isOtherSilent = false;
  home.sessions.other = [{ id: "fox", kind: "session", name: "fox", state: "working" }];
  await home.pass(45_000);
  assert.deepEqual(home.lists.at(-1), { web: "ended", fox: "working" }, "one that never greeted is asked again");
  watch.close();
});

test("units: where the session by which a server was reached is gone, the primary's list is not taken for that server's", async () => {
  const home = new Home();
  home.sessions.primary = [{ id: "owl", kind: "session", name: "owl", state: "idle" }];
  const watch = home.watch();
  await home.pass(1_000);
  home.registered = ["gone"];
  home.cuts.get("other")!();
  await home.pass(4_000);
  assert.deepEqual(home.lists.at(-1), { web: "running", owl: "idle", fox: "idle" });
  home.registered = undefined;
  home.sessions.other = [{ id: "fox", kind: "session", name: "fox", state: "working" }];
  await home.pass(4_000);
  assert.equal(home.lists.at(-1)!.fox, "working", "the way is made anew");
  watch.close();
});

test("units: nobody waits for a conversation of a server that does not answer, and it is read again when it does", async () => {
  const home = new Home();
  const watch = home.watch();
  await home.pass(1_000);
  home.isOtherSilent = true;
  home.events.get("primary")!();
  await home.pass(4_000);
  const turns = async (): Promise<string> => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    return "it is waited for";
  };
  const read = home.read!("fox").catch(({ code }) => code);
  assert.equal(await Promise.race([read, turns()]), "TARGET_GONE");
  home.wakeOther();
  await turns();
  assert.deepEqual(await home.read!("fox"), { server: "other" });
  watch.close();
});
