import type { Notes } from "./notes.ts";
import type { WorkerFile } from "./worker-fields.ts";

/** What the keys of TQServer's worker.yaml mean here; those that mean nothing are noted. */

/** What its type `go` implies. */
export const goCommand = (name: string) => ({
  build: ["go", "build", "-o", `bin/${name}`, "./src"],
  command: [`bin/${name}`],
});

/** Variables that its keys stand for, as its library for workers reads them. */
export function tqServerEnv({ type, go, bun }: WorkerFile): Record<string, string> {
  const env: Record<string, string> = {};
  const set = (name: string, value: string | number | undefined): void => {
    if (value !== undefined) env[name] = String(value);
  };
  if (type !== "bun") {
    set("GOMAXPROCS", go?.go_max_procs);
    set("GOMEMLIMIT", go?.go_mem_limit);
    set("WORKER_READ_TIMEOUT_SECONDS", go?.read_timeout_seconds);
    set("WORKER_WRITE_TIMEOUT_SECONDS", go?.write_timeout_seconds);
    set("WORKER_IDLE_TIMEOUT_SECONDS", go?.idle_timeout_seconds);
  }
  if (type !== "go") for (const [name, value] of bun?.env ?? []) set(name, value);
  return env;
}

const IN_THE_LOGS = "`warren logs` has the output";
const NOT_READ = "TQServer does not read it either";
const NO_SCALING = "the number of instances is fixed";

export function noteUnused(file: WorkerFile, path: string, notes: Notes): void {
  const note = (key: string, value: unknown, reason: string): void => {
    if (value !== undefined) notes.ignored(path, key, reason);
  };
  note("log_file", file.log_file, IN_THE_LOGS);
  note("logging", file.logging, IN_THE_LOGS);
  note("go.max_requests", file.go?.max_requests, "instances are not replaced by the number of their requests");
  for (const key of ["max_workers", "queue_threshold", "scale_down_delay"] as const) {
    note(`scaling.${key}`, file.scaling?.[key], NO_SCALING);
  }
  for (const key of ["runtime", "timeouts", "document_root"] as const) note(key, file[key], NOT_READ);
  note("php", file.php, "php-fpm is not implemented");
}
