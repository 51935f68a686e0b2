import assert from "node:assert/strict";
import { test } from "node:test";
import { unitText } from "./unit-text.ts";

test("the unit leaves jobs alone when it is stopped, and brings back what is marked autostart", () => {
  const text = unitText({ program: "/opt/warren/bin/warren", home: "/home/u/.warren", path: "/usr/bin:/bin" });
  assert.match(text, /^KillMode=process$/m);
  assert.match(text, /^ExecStart="\/opt\/warren\/bin\/warren" serve --foreground --boot$/m);
  assert.match(text, /^Environment="WARREN_HOME=\/home\/u\/\.warren"$/m);
});

test("signs that systemd would read are escaped", () => {
  const text = unitText({ program: '/a "b"/100%', home: "/h", path: "/bin" });
  assert.match(text, /^ExecStart="\/a \\"b\\"\/100%%" serve/m);
});
