import { relative } from "node:path";
import { PROJECT_FILES } from "../project-of.ts";
import type { Source } from "./config-source.ts";
import type { Notes } from "./notes.ts";
import type { ReadWorker } from "./read-worker.ts";
import type { Settings } from "./settings.ts";
import { workerOf } from "./worker-config.ts";

/** The worker that the project itself is, by `gateway.app`. What is served as it is, and what belongs to other workers, is no source of it. */
export async function readApp(
  app: NonNullable<Settings["app"]>,
  { config, defaults, source }: Settings,
  { notes, watched }: { notes: Notes; watched: Set<string> },
): Promise<ReadWorker> {
  const file = { name: "app", path: "/", type: "command", ...app } as const;
  const folders = [config.workersDir, config.publicDir].map((path) => relative(config.dir, path));
  const ignore = [...folders, ...PROJECT_FILES];
  const place = within(source, "gateway.app");
  const written = { dir: config.dir, file, source: place, isTqServers: false, hasFile: true, ignore };
  return {
    source: place,
    isWorker: true,
    ...(await workerOf(written, { projectDir: config.dir, defaults, notes, watched })),
  };
}

/** What is reported there stands in the file's own list alone. */
function within(source: Source, section: string): Source {
  return {
    file: source.file,
    problems: [],
    report: (path, message, suggestion) =>
      source.report(path === "" ? section : `${section}.${path}`, message, suggestion),
  };
}
