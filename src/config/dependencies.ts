import { suggest } from "../protocol/suggest.ts";

export interface DependencyProblem {
  job: string;
  /** The name in the job's list that is wrong. */
  dependency: string;
  message: string;
  suggestion?: string;
}

/** Names that no job has, and circles in which jobs wait for each other: each circle once, from its first job on. */
export function dependencyProblems(after: ReadonlyMap<string, readonly string[]>): DependencyProblem[] {
  return [...unknownNames(after), ...circles(after)];
}

function unknownNames(after: ReadonlyMap<string, readonly string[]>): DependencyProblem[] {
  return [...after].flatMap(([job, names]) =>
    names
      .filter((dependency) => !after.has(dependency))
      .map((dependency) => {
        const meant = suggest(
          dependency,
          [...after.keys()].filter((name) => name !== job),
        );
        const suggestion = meant === undefined ? {} : { suggestion: `did you mean "${meant}"?` };
        return { job, dependency, message: `there is no job "${dependency}"`, ...suggestion };
      }),
  );
}

/** Depth first; an edge back into the path that is being walked closes a circle. */
function circles(after: ReadonlyMap<string, readonly string[]>): DependencyProblem[] {
  const found: DependencyProblem[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (job: string): void => {
    path.push(job);
    for (const dependency of after.get(job) ?? []) {
      const from = path.indexOf(dependency);
      if (from >= 0) found.push(circle(job, dependency, path.slice(from)));
      else if (after.has(dependency) && !done.has(dependency)) visit(dependency);
    }
    path.pop();
    done.add(job);
  };
  for (const job of after.keys()) if (!done.has(job)) visit(job);
  return found;
}

function circle(job: string, dependency: string, jobs: readonly string[]): DependencyProblem {
  const message =
    jobs.length === 1
      ? `"${job}" waits for itself`
      : `these wait for each other: ${[...jobs, jobs[0]].join(" → ")} (each after the next)`;
  return { job, dependency, message };
}
