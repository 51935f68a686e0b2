import assert from "node:assert/strict";
import { test } from "node:test";
import { isWarrenError } from "../protocol/errors.ts";
import { parseArguments } from "./arguments.ts";
import { defineCommand } from "./command.ts";

const stop = defineCommand({
  usage: ["stop NAME…"],
  examples: [
    { command: "warren stop a", does: "" },
    { command: "warren stop b", does: "" },
  ],
  options: {
    force: { type: "boolean", short: "f", description: "" },
    grace: { type: "string", value: "DURATION", description: "" },
    label: { type: "string", multiple: true, description: "" },
    cursor: { type: "string", optional: "default", description: "" },
    stream: { type: "string", choices: ["stdout", "stderr"], description: "" },
  },
  operands: { kinds: ["unit"], min: 1, max: 2 },
  run: async () => 0,
});
const add = { ...stop, takesCommand: true };

const read = (args: string[], command = stop) => {
  const parsed = parseArguments("stop", command, args);
  assert.equal(parsed.kind, "input");
  const { values, operands } = (parsed as Extract<typeof parsed, { kind: "input" }>).input;
  return { values: { ...values }, operands };
};
const problemOf = (args: string[], command = stop): string => {
  try {
    parseArguments("stop", command, args);
  } catch (error) {
    assert.ok(isWarrenError(error, "USAGE"));
    return error.message;
  }
  return assert.fail("no error");
};

test("flags stand anywhere among the names", () => {
  assert.deepEqual(read(["web", "-f", "--grace", "2s", "api"]), {
    values: { force: true, grace: "2s" },
    operands: ["web", "api"],
  });
  assert.deepEqual(read(["--grace=2s", "--", "-odd"]), { values: { grace: "2s" }, operands: ["-odd"] });
});

test("a repeated flag gathers its values", () => {
  assert.deepEqual(read(["a", "--label", "x=1", "--label=y=2"]).values, { label: ["x=1", "y=2"] });
});

test("a flag with an optional value does not swallow the name behind it", () => {
  assert.deepEqual(read(["--cursor", "web"]), { values: { cursor: "default" }, operands: ["web"] });
  assert.deepEqual(read(["--cursor=mine", "web"]), { values: { cursor: "mine" }, operands: ["web"] });
});

test("everything from the command on is left untouched", () => {
  const line = ["npm", "--force", "--", "-x", "--grace"];
  assert.deepEqual(read(["-f", ...line], add), { values: { force: true }, operands: line });
  assert.deepEqual(read(["--", "--force", "x"], add), { values: {}, operands: ["--force", "x"] });
});

test("an unknown flag is told with what was probably meant", () => {
  assert.equal(problemOf(["--forse", "web"]), "unknown flag of stop: --forse. Did you mean --force?");
  assert.equal(problemOf(["-z", "web"]), "unknown flag of stop: -z.");
});

test("a flag without its value, or with one too many, is told", () => {
  assert.match(problemOf(["web", "--grace"]), /--grace needs a value: DURATION/);
  assert.match(problemOf(["web", "--grace", "--force"]), /--grace needs a value: DURATION, got --force/);
  assert.match(problemOf(["web", "--force=yes"]), /--force takes no value, got yes/);
  assert.match(problemOf(["web", "--stream", "stdot"]), /Did you mean stdout\?/);
});

test("too few and too many names are told", () => {
  assert.equal(problemOf([]), "stop needs a name or id: warren stop NAME…");
  assert.match(problemOf([], add), /needs a command/);
  assert.match(problemOf(["a", "b", "c"]), /takes at most 2 arguments, got c/);
});

test("--help is seen before the names are counted", () => {
  assert.equal(parseArguments("stop", stop, ["--help"]).kind, "help");
  assert.equal(parseArguments("add", add, ["npm", "--help"]).kind, "input");
});
