import assert from "node:assert/strict";
import { test } from "node:test";
import { waitUntil } from "../../../test/harness/wait-until.ts";
import { writeKept } from "../../contact/kept-file.ts";
import { silentLog } from "../../platform/log.ts";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { fromHex } from "../../sealing/bytes.ts";
import { decodeResult, encodeJson, type RemoteRequest, requestHash } from "../../sealing/request.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import { KeptRoster } from "../kept-roster.ts";
import { EMPTY_ROSTER, withDevice } from "../roster.ts";
import type { RemoteStore } from "../store.ts";
import { PHONE_KEY as KEY, PHONE } from "../testing/phone.ts";
import { RequestBook } from "./request-book.ts";
import { RequestDesk } from "./request-desk.ts";

const crypto = webCrypto();

/** A desk that tells what each hub was answered, to which text; `meanwhile` is done once, while the first answer is on its way. */
async function withDesk(meanwhile: (desk: RequestDesk, request: RemoteRequest) => Promise<void>) {
  const store: RemoteStore = {
    read: async (name) => (name === "roster.json" ? writeKept(withDevice(EMPTY_ROSTER, PHONE)) : undefined),
    write: async () => {},
    pathOf: (name) => name,
  };
  const clock = new HandClock();
  const sentMs = clock.wallMs();
  const request: RemoteRequest = {
    ...{ id: "a".repeat(32), target: { machine: KEY }, type: "session.attach", payload: {} }, // answered without a server
    ...{ number: 1, after: 0, deadline_ms: sentMs + 60_000, sent_ms: sentMs },
  };
  const answered: [string, string][] = [];
  const book = await RequestBook.open(store);
  let isFirst = true;
  const desk: RequestDesk = new RequestDesk({
    book,
    roster: await KeptRoster.open(store),
    machine: fromHex(KEY)!,
    connect: () => assert.fail("no server is asked"),
    crypto,
    clock,
    log: silentLog,
    answer: async (hub, result) => {
      answered.push([hub, decodeResult(result).request]);
      if (isFirst) await meanwhile(desk, request);
      isFirst = false;
    },
  });
  await desk.take({ hub: "home", signingKey: KEY, text: encodeJson(request) });
  desk.run();
  await waitUntil(() => book.open.length === 0, { what: "it is over" });
  return { answered, hashOf: (sent_ms: number) => requestHash(crypto, encodeJson({ ...request, sent_ms })), sentMs };
}

test("request desk: what another hub brings while its result is written down is answered there, too", async () => {
  const { answered, hashOf, sentMs } = await withDesk((desk, request) =>
    desk.take({ hub: "cloud", signingKey: KEY, text: encodeJson(request) }),
  );
  const hash = await hashOf(sentMs);
  assert.deepEqual(answered, [
    ["home", hash],
    ["cloud", hash],
  ]);
});

test("request desk: what is brought with a newer text while its result is written down is answered by that text", async () => {
  const { answered, hashOf, sentMs } = await withDesk((desk, request) =>
    desk.take({ hub: "home", signingKey: KEY, text: encodeJson({ ...request, sent_ms: request.sent_ms + 1 }) }),
  );
  assert.deepEqual(answered, [
    ["home", await hashOf(sentMs)],
    ["home", await hashOf(sentMs + 1)],
  ]);
});
