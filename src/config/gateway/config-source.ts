import { isWarrenError } from "../../protocol/errors.ts";
import { checkYaml } from "../check.ts";
import type { RecordField, ValueOf } from "../field.ts";
import { byPosition, type Problem } from "../problems.ts";
import { readText } from "../read-text.ts";

/** Where problems are reported to: a checked file, or a folder that stands for one that is not written. */
export interface Source {
  file: string;
  problems: Problem[];
  /** At a path (`gateway.rewrites[0].to`), or at the nearest above it that is known. */
  report(path: string, message: string, suggestion?: string): void;
}

export interface CheckedSource<T> extends Source {
  /** Undefined: it is no map. */
  value: T | undefined;
}

/** A larger one is no configuration of a worker. */
const FILE_BYTES_MAX = 256 * 1024;

/** Undefined: there is no such file. One that cannot be read is a problem, as what is in it is. */
export async function checkFile<F extends RecordField>(
  file: string,
  root: F,
  bytesMax = FILE_BYTES_MAX,
): Promise<CheckedSource<ValueOf<F>> | undefined> {
  const text = await readText(file, bytesMax).catch((error: unknown) => {
    if (isWarrenError(error, "CONFIG_UNREADABLE")) return error;
    throw error;
  });
  if (text === undefined) return undefined;
  if (typeof text === "string") return { file, ...checkYaml(text, file, root) };
  const source = folderSource(file);
  const reason = text.message.replace(`${file} `, "").replace(/\.$/, "");
  source.report("", reason);
  return { ...source, value: undefined };
}

/** For what is wrong with a folder, or with what is not written anywhere. */
export function folderSource(path: string): Source {
  const problems: Problem[] = [];
  const report = (field: string, message: string, suggestion?: string): void => {
    problems.push({
      ...{ file: path, line: 1, column: 1, field, message },
      ...(suggestion !== undefined && { suggestion }),
    });
    problems.sort(byPosition);
  };
  return { file: path, problems, report };
}
