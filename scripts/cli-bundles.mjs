import { join, relative, resolve } from "node:path";

/**
 * The command line as two CommonJS files. What a command costs is mostly the file that it is in (5 ms a megabyte): the first has what is typed all day, the
 * second everything else, and is loaded with the first command that needs it. A module is in one of them alone, so that there is one of each class; each
 * file has the other's modules by name.
 */
const CLI = "src/cli/main.ts";
const FILES = { hot: "./cli.cjs", cold: "./cli-more.cjs" };

/** In the first file, with all that they import. */
const HOT = [
  ...["add", "run", "list", "sessions", "ping", "wait", "await", "logs", "stdout", "stderr", "stats", "ports", "why"],
  ...["stop", "start", "restart", "signal", "remove", "new", "attach", "send", "prompt", "approve", "deny", "mail"],
  ...["here", "overview", "version"],
]
  .map((name) => `src/cli/commands/${name}.ts`)
  .concat(["send", "check", "reply", "wait", "ask"].map((name) => `src/cli/mail/${name}.ts`));

/** @param common esbuild's options for what runs on Node */
export async function bundleCli(esbuild, { common, root, target }) {
  const options = {
    ...common,
    format: "cjs",
    define: { "import.meta.url": "__url" },
    banner: { js: 'const __url=require("node:url").pathToFileURL(__filename).href;' },
  };
  const { metafile } = await esbuild.build({
    ...options,
    entryPoints: [CLI],
    outdir: target,
    write: false,
    metafile: true,
  });
  const importsOf = (path) => metafile.inputs[path].imports.filter(({ external }) => !external);
  const isLazy = ({ kind }) => kind === "dynamic-import";
  const hot = new Set([CLI, ...HOT]);
  for (const path of hot) for (const one of importsOf(path)) if (!isLazy(one)) hot.add(one.path); // a Set goes on with what is added meanwhile
  const packages = [...hot].filter((path) => path.startsWith("node_modules/"));
  if (packages.length > 0) throw new Error(`what is typed all day loads ${packages.join(", ")}`);
  const cold = new Set([...hot].flatMap((path) => importsOf(path).filter(isLazy)).map(({ path }) => path));
  for (const path of hot) cold.delete(path);

  const bundle = (part, { names, more = "", isOther }) =>
    esbuild.build({
      ...options,
      stdin: {
        contents: `const all={${names.map((name) => `${JSON.stringify(name)}:()=>require("./${name}")`)}};exports.part=(name)=>all[name]();${more}`,
        resolveDir: root,
      },
      outfile: join(target, FILES[part]),
      plugins: [otherPart({ root, file: FILES[part === "hot" ? "cold" : "hot"], isOther })],
    });
  await Promise.all([
    bundle("hot", {
      names: [...hot].filter((path) => path !== CLI),
      more: `require("./${CLI}");`,
      isOther: (path) => !hot.has(path),
    }),
    bundle("cold", { names: [...cold], isOther: (path) => hot.has(path) }),
  ]);
}

/** A module that is in the other file is asked for by its name there. */
const otherPart = ({ root, file, isOther }) => ({
  name: "other-part",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir, namespace }) => {
      if (namespace === "other") return { path, external: true };
      const name = relative(root, resolve(resolveDir, path));
      return name.startsWith("src/") && isOther(name) ? { path: name, namespace: "other" } : undefined;
    });
    onLoad({ filter: /.*/, namespace: "other" }, ({ path }) => ({
      contents: `module.exports=require(${JSON.stringify(file)}).part(${JSON.stringify(path)});`,
      resolveDir: root,
    }));
  },
});
