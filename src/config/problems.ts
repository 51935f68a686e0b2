import { WarrenError } from "../protocol/errors.ts";

/** What is wrong with a configuration file, and where. */
export interface Problem {
  file: string;
  /** From 1. */
  line: number;
  /** From 1, in characters. */
  column: number;
  /** `jobs.web.ready.port`; empty for the file as a whole. */
  field: string;
  /** With the offending value. */
  message: string;
  /** A sentence: `did you mean "ready"?`. */
  suggestion?: string;
}

/** A file with more problems shows this many and says how many it holds back; `detail.problems` has them all. */
const PROBLEMS_SHOWN_MAX = 20;

/** `warren.yaml:3:5 jobs.web.redy: there is no key "redy" here; did you mean "ready"?` */
export function formatProblem({ file, line, column, field, message, suggestion }: Problem): string {
  const where = `${file}:${line}:${column} ${field === "" ? "" : `${field}: `}`;
  return `${where}${message}${suggestion === undefined ? "" : `; ${suggestion}`}`;
}

function formatProblems(problems: readonly Problem[]): string {
  const shown = problems.slice(0, PROBLEMS_SHOWN_MAX).map(formatProblem);
  const held = problems.length - shown.length;
  return [...shown, ...(held > 0 ? [`… and ${held} more`] : [])].join("\n");
}

/** The message is printable as it is: a line for each problem. `detail.problems` holds them for programs. */
export function configInvalid(file: string, problems: readonly Problem[]): WarrenError {
  const [first] = problems;
  const text =
    problems.length === 1 && first !== undefined
      ? formatProblem(first)
      : `${problems.length} problems in ${file}:\n${formatProblems(problems)}`;
  return new WarrenError("CONFIG_INVALID", text, { detail: { file, problems } });
}

export const byPosition = (a: Problem, b: Problem): number => a.line - b.line || a.column - b.column;
