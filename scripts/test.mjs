// `npm test`: installs what is missing, builds, runs every test. `--proof` runs the large counts; further arguments name test files.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { install, root, run, runtime } from "./install.mjs";

/** What tests use of the system, by suite. */
const SYSTEM_PROGRAMS = [
  { program: "tmux", package: "tmux", suite: "test/tui" },
  { program: "setsid", package: "util-linux", suite: "src/runs" },
  { program: "ssh", package: "openssh-client", suite: "deploys" },
  { program: "/usr/sbin/sshd", package: "openssh-server", suite: "deploys" },
  { program: "rsync", package: "rsync", suite: "deploys" },
  { program: "vim", package: "vim", suite: "screens of vim" },
  { program: "less", package: "less", suite: "screens of less" },
  { program: "htop", package: "htop", suite: "screens of htop" },
  { program: "zsh", package: "zsh", suite: "completion for zsh" },
  { program: "chromium", package: "chromium", suite: "what a browser shows of the gateway" },
  { program: "/usr/sbin/nats-server", package: "nats-server", suite: "mail between machines" },
  { program: "fish", package: "fish", suite: "completion for fish" },
  {
    program: "python3's cryptography",
    isThere: "python3 -c 'import cryptography'",
    package: "python3-cryptography",
    suite: "the sealed formats against a second implementation",
  },
];

const SHARED_MEMORY = "/dev/shm";
const SHARED_MEMORY_BYTES_MIN = 6 * 1024 ** 3;

install({ withDev: true });
installSystemPrograms();
run(process.execPath, ["scripts/build.mjs"]);

const isProof = process.argv.includes("--proof");
const named = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
// The script may run on Node 18, whose fs has no glob: the pinned runtime lists the files.
const script = `console.log(require("node:fs").globSync(${JSON.stringify(isProof ? ["test/**/*.test.ts"] : ["src/**/*.test.ts", "test/**/*.test.ts", "bench/**/*.test.ts"])}, { exclude: (path) => path.includes("node_modules") }).sort().join("\\n"))`;
const listed = spawnSync(runtime(), ["-e", script], { cwd: root, encoding: "utf8" }).stdout.trim().split("\n");
const files = named.length > 0 ? named : listed;
// Four hundred processes read much of the same code: the types are taken off it once.
const compileCache = join(root, "node_modules", ".cache", "warren-tests");
// A file takes two minutes at most, a proof twenty: one that hangs is named, and the others go on.
const timeout = `--test-timeout=${(isProof ? 60 : 8) * 60_000}`;
const isSystem = (file) => /^(\.\/)?test\//.test(file);
// The tests of single parts mostly wait; those of the whole are themselves many processes.
const runs = [
  { atOnce: 4, files: files.filter((file) => !isSystem(file)), temporary: tmpdir() },
  { atOnce: 2, files: files.filter(isSystem), temporary: temporaryOfHomes() },
].filter((one) => one.files.length > 0);
const statuses = runs.map((one) => runTests(one));
process.exit(statuses.find((status) => status !== 0) ?? 0);

/** Hundreds of homes come and go: in memory that takes a tenth less time. A proof runs on the disk, and so does everything where there is little memory. */
function temporaryOfHomes() {
  const isRoomy = existsSync(SHARED_MEMORY) && bytesFree(SHARED_MEMORY) >= SHARED_MEMORY_BYTES_MIN;
  if (isProof || process.env.TMPDIR || !isRoomy) return tmpdir();
  // A short name: the path of a socket has 107 bytes. Open, as /tmp is: some tests become another user.
  const place = mkdtempSync(join(SHARED_MEMORY, "w-"));
  chmodSync(place, 0o1777);
  process.on("exit", () => rmSync(place, { recursive: true, force: true, maxRetries: 3 }));
  return place;
}

function bytesFree(path) {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

function runTests({ atOnce, files, temporary }) {
  const args = ["--test", `--test-concurrency=${atOnce}`, timeout, "--test-reporter=spec", ...files];
  const env = {
    ...process.env,
    ...(isProof ? { WARREN_PROOF: "1" } : {}),
    NODE_OPTIONS: "",
    TMPDIR: temporary,
    NODE_COMPILE_CACHE: compileCache,
  };
  const { status, error } = spawnSync(runtime(), args, { cwd: root, stdio: "inherit", env });
  if (error) throw error;
  return status ?? 1;
}

function installSystemPrograms() {
  const missing = SYSTEM_PROGRAMS.filter(
    ({ program, isThere }) => spawnSync("sh", ["-c", isThere ?? `command -v ${program}`]).status !== 0,
  );
  if (missing.length === 0) return;
  const packages = missing.map((one) => one.package);
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    const apt = (...args) =>
      spawnSync("apt-get", ["-qq", ...args], {
        stdio: ["ignore", "ignore", "inherit"],
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      });
    apt("update");
    if (apt("install", "-y", "--no-install-recommends", ...packages).status === 0) return;
  }
  for (const { program, suite, package: name } of missing)
    console.error(`skipping ${suite}: ${program} is missing (apt-get install ${name})`);
}
