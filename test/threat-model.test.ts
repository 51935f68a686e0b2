import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { decodeFrame, type FrameOf } from "../src/sealing/frames.ts";
import { namedTests } from "./harness/named-tests.ts";
import { Day } from "./harness/remote-capture/day.ts";
import { found, MEMORY, placesOf, secretsOf } from "./harness/remote-capture/secrets.ts";
import { shapeOfSight, sightOf } from "./harness/remote-capture/sight.ts";
import { TwoHubs } from "./harness/remote-capture/two-hubs.ts";

/** docs/threat-model.md is held to: each promise names tests that there are, and what a hub can see is what a hub was seen to get. */
const DOCUMENT = join(import.meta.dirname, "..", "docs", "threat-model.md");
const [BEGIN, END] = ["begin", "end"].map((which) => `<!-- made by test/threat-model.test.ts: ${which} -->`) as [
  string,
  string,
];
const LINK = /\[test: ([^\]]+)\]\(([^)]+)\)/g;

test("threat model: every promise is one sentence, and names tests that there are", () => {
  const text = readFileSync(DOCUMENT, "utf8");
  const lines = between(text, "## What is promised", "## What is not protected").split("\n");
  const promises = lines.filter((line) => line.startsWith("- "));
  assert.ok(promises.length > 30, `${promises.length}`);
  const tests = namedTests();
  for (const promise of promises) {
    const links = [...promise.matchAll(LINK)];
    const sentence = promise.replaceAll(LINK, "").slice(2).trim();
    assert.ok(links.length > 0, `no test: ${sentence}`);
    assert.match(sentence, /^[^.]*(?:\.[^ .][^.]*)*\.$/, `more than a sentence: ${sentence}`);
    for (const [, name, path] of links) assert.deepEqual(missing(tests, { name: name!, path: path! }), [], sentence);
  }
});

test("threat model: a promise whose test is renamed or gone is found", () => {
  const tests = new Map([["test/a.test.ts", ["remote: it holds, always", "remote: it holds"]]]);
  const why = (name: string, path = "../test/a.test.ts") => missing(tests, { name, path }).length === 0;
  assert.deepEqual(
    [why("remote: it holds"), why("remote: it holds, al…"), why("remote: it hold"), why("remote: gone…")],
    [true, true, false, false],
  );
  assert.equal(why("remote: it holds", "../test/b.test.ts"), false);
});

describe("threat model: a hub that is listened to for a day", { timeout: 120_000 }, () => {
  let day: Day;
  before(async () => {
    day = await Day.lived();
  });
  after(() => day?.[Symbol.asyncDispose]());

  test("threat model: of a day's words and keys none was said to the hub, nor is in its files, its log or its memory", async () => {
    const known = [{ what: "the hub's own label", forms: [Buffer.from(day.words.label)] }];
    const seen = found(known, placesOf(day));
    assert.ok(seen.includes(`the hub's own label in ${MEMORY}`), `the search finds what is there: ${seen}`);
    assert.deepEqual(found(await secretsOf(day), placesOf(day)), []);
  });

  test("threat model: what a hub can see is what stands in the document, field by field", () => {
    const text = readFileSync(DOCUMENT, "utf8");
    const sight = `\n\n${sightOf(day)}\n`;
    const kept = between(text, BEGIN, END);
    if (process.env.WARREN_UPDATE_THREAT_MODEL)
      writeFileSync(
        DOCUMENT,
        text.replace(`${BEGIN}${kept}${END}`, () => `${BEGIN}${sight}${END}`),
      );
    else assert.equal(shapeOfSight(kept), shapeOfSight(sight), "WARREN_UPDATE_THREAT_MODEL=1 writes it anew");
  });

  test("threat model: who is revoked is cut off before that is answered", () => {
    const frames = day.tap.heard.map(({ kind, payload, ...about }) => ({
      frame: kind === "message" ? decodeFrame(payload) : undefined,
      ...about,
    }));
    const asked = frames.findIndex(({ frame }) => frame?.kind === "expel");
    const { connection, frame: expel } = frames[asked]!;
    const cut = frames.findIndex(({ frame }) => frame?.kind === "refused" && frame.code === "EXPELLED");
    const answered = frames.findIndex(
      ({ frame, ...one }) =>
        one.connection === connection &&
        frame?.kind === "done" &&
        frame.request === (expel as FrameOf<"expel">).request,
    );
    assert.ok(
      asked < cut && cut < answered && answered < day.heardWhenRevoked,
      `${[asked, cut, answered, day.heardWhenRevoked]}`,
    );
    const gone = frames[cut]!.connection;
    assert.deepEqual(
      frames
        .slice(cut + 1)
        .filter(({ frame, ...one }) => frame && one.direction === "from hub" && one.connection === gone),
      [],
    );
  });
});

test("threat model: two hubs find no string of 16 bytes in common in all that one machine and one phone have told them", async () => {
  await using pair = await TwoHubs.lived();
  const [first, second] = pair.toldTo.map((told) => new Set(told.flatMap(stringsOf)));
  assert.ok(first!.size > 2_000 && second!.size > 2_000, `${first!.size} and ${second!.size}`);
  assert.deepEqual(
    [...first!].filter((one) => second!.has(one)),
    [],
  );
  const [again] = pair.toldTo;
  assert.ok(
    again!.flatMap(stringsOf).some((one) => first!.has(one)),
    "equal ones would be found",
  );
});

function between(text: string, from: string, to: string): string {
  const [start, end] = [text.indexOf(from), text.indexOf(to)];
  assert.ok(start !== -1 && end > start, `${from} … ${to}`);
  return text.slice(start + from.length, end);
}

/** What is wrong with a link: its file, or its name. A name that ends in … is the beginning of one. */
function missing(
  tests: ReadonlyMap<string, readonly string[]>,
  { name, path }: { name: string; path: string },
): string[] {
  const names = tests.get(path.replace(/^\.\.\//, ""));
  if (!names) return [`no file ${path}`];
  const isThere = name.endsWith("…") ? names.some((one) => one.startsWith(name.slice(0, -1))) : names.includes(name);
  return isThere ? [] : [`${path} has no test ${name}`];
}

const STRING_BYTES = 16;
/** What counts and zeros are made of has fewer; random bytes have more. */
const DISTINCT_MIN = 9;

/** All strings of 16 bytes in it that are not there by themselves. */
function stringsOf(bytes: Uint8Array): string[] {
  const all: string[] = [];
  for (let at = 0; at + STRING_BYTES <= bytes.length; at++) {
    const string = bytes.subarray(at, at + STRING_BYTES);
    if (new Set(string).size >= DISTINCT_MIN) all.push(Buffer.from(string).toString("latin1"));
  }
  return all;
}
