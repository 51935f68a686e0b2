import { Terminal } from "../../src/tui/terminal/terminal.ts";

/** A program whose terminal is open when it dies of a bug: run by tui.test.ts. */
const onKey = (): never => {
  throw new Error("a bug on a key");
};
const terminal = new Terminal({ stdin: process.stdin, stdout: process.stdout }, onKey, () => {});
terminal.open();
terminal.write("\x1b[Hthe screen is open");
