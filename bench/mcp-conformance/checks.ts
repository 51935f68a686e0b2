import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setStage } from "../stage.ts";
import { openBridge } from "./bridge.ts";

/**
 * The official checks of MCP servers against `warren mcp`: the conformance suite, its stable release and the one to come, which knows both eras; and the inspector's
 * command line, as a client of its own. Exits with 1 when something fails that does not stand in `expected-*.yml`, or passes that stands there.
 */
const here = import.meta.dirname;
const at = (...path: string[]): string => join(here, "node_modules", ...path);
const STABLE = at("@modelcontextprotocol", "conformance", "dist", "index.js");
const NEXT = at("conformance-next", "dist", "index.js");
const INSPECTOR = at("@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js");
const SUITES = [
  { what: "0.1.16, suite active", suite: STABLE, args: ["--suite", "active"], expected: "expected-stable.yml" },
  {
    what: "0.2.0-alpha.12, requirements of 2025-11-25",
    suite: NEXT,
    args: ["--requirements", "2025-11-25"],
    expected: "expected-2025-11-25.yml",
  },
  {
    what: "0.2.0-alpha.12, requirements of 2026-07-28",
    suite: NEXT,
    args: ["--requirements", "2026-07-28"],
    expected: "expected-2026-07-28.yml",
  },
];
/** What the inspector is asked, and what its answer has to say. */
const INSPECTED: { args: string[]; says: RegExp; status?: number }[] = [
  { args: ["--method", "tools/list"], says: /"name": "job_run"/ },
  { args: ["--method", "resources/list"], says: /mail:\/\/inbox\/inspector/ },
  { args: ["--method", "tools/call", "--tool-name", "status"], says: /"structuredContent"/ },
  {
    args: ["--method", "tools/call", "--tool-name", "send", "--tool-arg", "to=bob", "--tool-arg", "text=hello"],
    says: /"is_new": true/,
  },
  { args: ["--method", "tools/call", "--tool-name", "ack", "--tool-arg", "ids=[]"], says: /isError|error/i, status: 5 },
];
const STATUS_FAILED = 1;
const TIMEOUT_MS = 120_000;

async function main(): Promise<void> {
  const stage = await setStage();
  process.on("exit", () => stage.strike());
  const program = join(stage.checkout, "bin", "warren");
  const env = { ...stage.env, WARREN_MAIL_PORT: "0" };
  const problems: string[] = [];
  {
    await using bridge = await openBridge(() =>
      spawn(program, ["mcp", "--as", "conformance"], { env, cwd: stage.dir, stdio: ["pipe", "pipe", "inherit"] }),
    );
    for (const { what, suite, args, expected } of SUITES) {
      const given = [suite, "server", "--url", bridge.url, ...args, "--expected-failures", join(here, expected)];
      const { status, said } = await ran(spawn(stage.node, given, { env, cwd: stage.dir, stdio: "pipe" }));
      const passed = said.split("\n").filter((line) => line.startsWith("✓"));
      console.log(`\nconformance ${what}\n${passed.join("\n")}\n${/^Total: .*$/m.exec(said)?.[0] ?? said}`);
      if (status === 0) continue;
      problems.push(what);
      console.log(said.slice(said.indexOf("=== SUMMARY")));
    }
  }
  for (const { args, says, status: wanted = 0 } of INSPECTED) {
    const given = [INSPECTOR, "--cli", program, "mcp", "--as", "inspector", ...args];
    const { status, said } = await ran(spawn(stage.node, given, { env, cwd: stage.dir, stdio: "pipe" }));
    const isRight = status === wanted && says.test(said);
    console.log(`${isRight ? "✓" : "✗"} inspector --cli ${args.join(" ")}: exit status ${status}`);
    if (isRight) continue;
    problems.push(args.join(" "));
    console.log(said.slice(0, 2_000));
  }
  console.log(problems.length === 0 ? "\nNothing failed that was not expected" : `\nFailed: ${problems.join("; ")}`);
  process.exit(problems.length === 0 ? 0 : STATUS_FAILED);
}

async function ran(child: ChildProcess): Promise<{ status: number | null; said: string }> {
  child.stdin!.end();
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  const [said, errors] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    child.exitCode === null ? once(child, "close") : undefined,
  ]);
  clearTimeout(timer);
  return { status: child.exitCode, said: `${said}${errors}` };
}

await main();
