// Bundles src/ into dist/ and stamps the build's hash. Runs on any Node ≥ 18; `--if-possible` does nothing where esbuild is not installed (an
// installed package brings its dist/ along).
//
// The command line is CommonJS (scripts/cli-bundles.mjs): with V8's compile cache it starts 7 ms faster than the same code as modules (docs/decisions). The
// others are modules that share chunks. Each is started through a boot file that turns the cache on.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleCli } from "./cli-bundles.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** A change of these is another build. */
const BUILDERS = ["scripts/build.mjs", "scripts/cli-bundles.mjs"];
/** What agents run at their events is one too, of a few kilobytes; what it rarely needs is a module. */
const HOOK = { entry: "src/hooks/main.ts", module: "mail-hook.slow" };
const MODULES = {
  "keeper.main": "src/keeper/main.ts",
  "server.main": "src/server/main.ts",
  screens: "src/sessions/screen/screens-thread.ts",
  tui: "src/tui/main.ts",
  mcp: "src/mcp/main.ts",
  "front.main": "src/front/main.ts",
  "mail-leader.main": "src/mailbox/leader/main.ts",
  "mail-log": "src/mailbox/log/writer-thread.ts",
  [HOOK.module]: "src/hooks/slow.ts",
  "hub.main": "src/hub/main.ts",
  "web.main": "src/web-host/main.ts",
};
/** What a browser runs; what only an open terminal needs is a chunk of its own. */
const WEB = "src/web";
/** Run beside programs that are not ours, as they are. */
const NODE_WORKER = "src/gateway/node-worker";
const CACHE_DIR = '(process.env.WARREN_HOME || (process.env.HOME || "/tmp") + "/.warren") + "/cache"';
/** Node makes the cache's directory, and tries for ever in /proc, where none can be made: whoever needs the home says so. */
const withCache = (enable, go) => `const cache=${CACHE_DIR};cache.startsWith("/proc/")||${enable}(cache);${go}\n`;
const required = (name) => withCache('require("node:module").enableCompileCache', `require("./${name}");`);
const imported = (name) =>
  `import{enableCompileCache as e}from"node:module";${withCache("e", `await import("./${name}");`)}`;
const BOOT = {
  // A command that goes on may see an upgrade: it has the rest of its own build by then.
  "warren.cjs": `${required("cli.cjs")}setTimeout(require,1_000,"./cli-more.cjs").unref();\n`,
  "mail-hook.cjs": required("mail-hook.main.cjs"),
  "keeper.js": imported("keeper.main.js"),
  "front.js": imported("front.main.js"),
  "mail-leader.js": imported("mail-leader.main.js"),
  "hub.js": imported("hub.main.js"),
  "web.js": imported("web.main.js"),
  "server.js": imported("server.main.js"),
};

/** `ws` asks for these when it is loaded, and needs them for wss:// and for what is compressed: loaded when they are used, since tls alone is 2 MB. */
const RARE = {
  name: "rare-builtins-of-ws",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(https|tls|zlib)$/ }, ({ path, importer }) =>
      /[\\/]node_modules[\\/]ws[\\/]/.test(importer) ? { path, namespace: "rare" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "rare" }, ({ path }) => ({
      contents: `module.exports = new Proxy({}, { get: (_, name) => process.getBuiltinModule("node:${path}")[name] });`,
    }));
  },
};

const esbuild = await import("esbuild").catch(() => undefined);
if (!esbuild || !existsSync(join(root, "src"))) {
  if (process.argv.includes("--if-possible")) process.exit(0);
  console.error("✗ esbuild is not installed\nnpm ci");
  process.exit(1);
}
await build(join(root, "dist"));

async function build(target) {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const hash = buildHash();
  const fresh = `${target}.new-${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  try {
    const common = {
      absWorkingDir: root,
      bundle: true,
      platform: "node",
      target: "node26",
      minifySyntax: true,
      minifyWhitespace: true,
      logLevel: "warning",
    };
    // All are waited for: one that failed must not leave another writing into a directory that is taken away.
    const bundles = await Promise.allSettled([
      bundleCli(esbuild, { common, root, target: fresh }),
      esbuild.build({
        ...common,
        entryPoints: [HOOK.entry],
        outfile: join(fresh, "mail-hook.main.cjs"),
        format: "cjs",
        plugins: [
          {
            name: "rarely-needed",
            setup: ({ onResolve }) =>
              onResolve({ filter: /^\.\/slow\.ts$/ }, () => ({ path: `./${HOOK.module}.js`, external: true })),
          },
        ],
      }),
      esbuild.build({
        ...common,
        entryPoints: Object.fromEntries(Object.entries(MODULES).filter(([, file]) => existsSync(join(root, file)))),
        outdir: fresh,
        external: ["esbuild"],
        plugins: [RARE],
        splitting: true,
        format: "esm",
        chunkNames: "chunks/[name]-[hash]",
        banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
      }),
      buildWeb(join(fresh, "web")),
    ]);
    for (const { reason } of bundles) if (reason) throw reason;
    for (const [file, text] of Object.entries(BOOT)) writeFileSync(join(fresh, file), text);
    mkdirSync(join(fresh, "node-worker"));
    for (const file of readdirSync(join(root, NODE_WORKER)))
      if (file.endsWith(".cjs")) copyFileSync(join(root, NODE_WORKER, file), join(fresh, "node-worker", file));
    const stamp = { format: 1, hash, version, built_at_ms: Date.now() };
    writeFileSync(join(fresh, "package.json"), '{"type":"module"}\n');
    writeFileSync(join(fresh, "build.json"), `${JSON.stringify(stamp)}\n`);
    const old = `${target}.old-${process.pid}`;
    if (existsSync(target)) renameSync(target, old);
    renameSync(fresh, target);
    rmSync(old, { recursive: true, force: true });
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** The app: its code under names that change with it, and around it the page, the manifest, the icon and the service worker, which have to keep theirs. */
async function buildWeb(target) {
  const common = {
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    target: "es2023",
    minify: true,
    logLevel: "warning",
  };
  const { metafile } = await esbuild.build({
    ...common,
    entryPoints: { app: `${WEB}/main.tsx`, style: `${WEB}/style/app.css` },
    outdir: target,
    splitting: true,
    jsx: "automatic",
    metafile: true,
    define: { "process.env.NODE_ENV": '"production"' },
    entryNames: "[name]-[hash]",
    chunkNames: "chunks/[name]-[hash]",
  });
  const files = Object.keys(metafile.outputs).map((path) => relative(target, join(root, path)));
  const named = (pattern) => files.find((file) => pattern.test(file));
  const page = readFileSync(join(root, WEB, "index.html"), "utf8")
    .replace("APP_JS", named(/^app-.*js$/))
    .replace("STYLE_CSS", named(/^style-.*css$/))
    .replace(
      "<!-- CHUNKS -->",
      chunksAtOnce(metafile)
        .map((path) => `<link rel="modulepreload" href="/chunks/${basename(path)}" />`)
        .join("\n    "),
    );
  writeFileSync(join(target, "index.html"), page);
  for (const file of ["manifest.webmanifest", "icon.svg"]) copyFileSync(join(root, WEB, file), join(target, file));
  await esbuild.build({
    ...common,
    entryPoints: [`${WEB}/service-worker.ts`],
    outfile: join(target, "service-worker.js"),
    format: "iife",
    define: {
      SHELL_FILES: JSON.stringify(["/", "/manifest.webmanifest", "/icon.svg", ...files.map((file) => `/${file}`)]),
      SHELL_NAME: JSON.stringify(createHash("sha256").update(page).digest("hex").slice(0, 12)),
    },
  });
}

/** What the app's script imports at once: named in the page, so that all of it is fetched together, and not each when another has named it. */
function chunksAtOnce({ outputs }) {
  const isApp = (path) => outputs[path].entryPoint === `${WEB}/main.tsx`;
  const wanted = new Set(Object.keys(outputs).filter(isApp));
  for (const path of wanted)
    for (const { path: imported, kind } of outputs[path].imports) if (kind === "import-statement") wanted.add(imported); // a Set goes on with what is added meanwhile
  return [...wanted].filter((path) => !isApp(path));
}

/** The short commit when the source is committed; with uncommitted source a digest of it behind; outside a checkout the digest alone. */
function buildHash() {
  const git = (...args) =>
    execFileSync("git", ["-C", root, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  try {
    if (git("rev-parse", "--show-toplevel").trim() !== root) return sourceDigest();
    const commit = git("rev-parse", "--short=7", "HEAD").trim();
    const dirty = git("status", "--porcelain", "--", "src", "package.json", "package-lock.json", ...BUILDERS);
    return dirty ? `${commit}-${sourceDigest()}` : commit;
  } catch {
    return sourceDigest();
  }
}

function sourceDigest() {
  const digest = createHash("sha256");
  const walk = (dir) => {
    for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (!/\.test\.tsx?$/.test(entry.name)) digest.update(path.slice(root.length)).update(readFileSync(path));
    }
  };
  walk(join(root, "src"));
  digest.update(readFileSync(join(root, "package.json")));
  return digest.digest("hex").slice(0, 7);
}
