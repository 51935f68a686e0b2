import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isWarrenError } from "../../protocol/errors.ts";
import { formatProblem, type Problem } from "../problems.ts";
import { loadGateway } from "./load-gateway.ts";

/** A project in a temporary folder: text by path; `-> target` is a symlink, an ending slash a folder. Removed when it goes out of scope. */
export interface TemporaryProject extends AsyncDisposable {
  dir: string;
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** Of the whole project, with paths relative to it; it has some. */
  problems(): Promise<string[]>;
}

export async function temporaryProject(files: Readonly<Record<string, string>>): Promise<TemporaryProject> {
  const parent = await realpath(await mkdtemp(join(tmpdir(), "warren-gateway-")));
  const dir = join(parent, "site");
  const write = async (texts: Readonly<Record<string, string>>): Promise<void> => {
    for (const [path, text] of Object.entries(texts)) {
      const place = join(dir, path);
      await mkdir(path.endsWith("/") ? place : dirname(place), { recursive: true });
      if (path.endsWith("/")) continue;
      if (text.startsWith("-> ")) await symlink(text.slice(3), place);
      else await writeFile(place, text);
    }
  };
  await mkdir(dir);
  await write(files);
  return { dir, write, problems: () => problemsOf(dir), [Symbol.asyncDispose]: () => rm(parent, { recursive: true }) };
}

async function problemsOf(dir: string): Promise<string[]> {
  try {
    await loadGateway(dir);
  } catch (error) {
    if (!isWarrenError(error, "CONFIG_INVALID")) throw error;
    return (error.detail?.problems as Problem[]).map((problem) => formatProblem(problem).replaceAll(`${dir}/`, ""));
  }
  throw new Error(`${dir} has no problems`);
}
