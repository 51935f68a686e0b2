import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HtmlInjection } from "./html-injection.ts";

const PIECE = "<script src=x></script>";

function inject(...chunks: (string | Buffer)[]): string {
  const injection = new HtmlInjection(Buffer.from(PIECE));
  const out = chunks.map((chunk) => injection.push(Buffer.from(chunk as string)).toString("latin1"));
  return out.join("") + injection.end().toString("latin1");
}

test("injection: before the last end of the body, whatever its case and spaces, else at the end", () => {
  const cases: [string, string][] = [
    ["<body>x</body></html>", `<body>x${PIECE}</body></html>`],
    ["<BODY>x</BoDy\n></html>\n", `<BODY>x${PIECE}</BoDy\n></html>\n`],
    ["<body>x</body/>", `<body>x${PIECE}</body/>`],
    ["no end", `no end${PIECE}`],
    ["", PIECE],
    ["<p></bodyguard></p>", `<p></bodyguard></p>${PIECE}`],
    ["</body></body>", `</body>${PIECE}</body>`],
    ['<script>"</body>"</script></body>', `<script>"</body>"</script>${PIECE}</body>`],
  ];
  for (const [document, expected] of cases) assert.equal(inject(document), expected);
});

test("injection: one in a script's string, far from the end, is not taken for the end", () => {
  const document = `<script>write("</body>")</script>${"x".repeat(2_000)}`;
  assert.equal(inject(document), document + PIECE);
  assert.equal(inject(...document), document + PIECE);
});

test("injection: split at every place, and byte by byte, it is the same", () => {
  const document = '<script>"</body>"</script></bod></BODY></bodyx></bod';
  const whole = inject(document);
  assert.equal(whole, document.replace("</BODY>", `${PIECE}</BODY>`));
  for (let at = 0; at <= document.length; at++) assert.equal(inject(document.slice(0, at), document.slice(at)), whole);
  for (let one = 0; one < document.length; one++)
    for (let two = one; two < document.length; two++)
      assert.equal(inject(document.slice(0, one), document.slice(one, two), document.slice(two)), whole);
  assert.equal(inject(...document), whole);
});

test("injection: what is held back is little, so a page that comes slowly is seen as it comes", () => {
  const injection = new HtmlInjection(Buffer.from(PIECE));
  assert.equal(injection.push(Buffer.from("<p>first</p>")).toString(), "<p>first</p>");
  assert.equal(injection.push(Buffer.from("<p>second</")).toString(), "<p>second");
  assert.equal(injection.push(Buffer.from("p>")).toString(), "</p>");
  assert.equal(injection.push(Buffer.from(`</body>${"x".repeat(1_000)}`)).toString(), "");
  assert.equal(injection.push(Buffer.from("x".repeat(100))).length, 1_107);
});

test("injection: any document in any pieces grows by the piece, exactly once, and keeps all its bytes", () => {
  const part = fc.constantFrom(
    "</body>",
    "</BODY >",
    "</bod",
    "y>",
    "<",
    "/",
    "</",
    "text",
    "\u00e9",
    "x".repeat(700),
    "</html>",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.array(fc.nat(2_000), { maxLength: 6 }), (parts, cuts) => {
      const document = parts.join("");
      const places = [...new Set(cuts.map((cut) => Math.min(cut, document.length)))].sort((one, other) => one - other);
      const chunks = [0, ...places].map((from, at) => Buffer.from(document.slice(from, places[at]), "latin1"));
      const out = inject(...chunks);
      assert.equal(out, inject(Buffer.from(document, "latin1")));
      const at = out.indexOf(PIECE);
      assert.ok(at >= 0);
      assert.equal(out.slice(0, at) + out.slice(at + PIECE.length), document);
    }),
    { numRuns: 500 },
  );
});
