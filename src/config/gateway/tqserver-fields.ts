import type { ValueOf } from "../field.ts";

/** Keys of TQServer's files (version 0.9): config/server.yaml, and what its worker.yaml has besides ours. */

const text = { kind: "text" } as const;
const any = { kind: "any" } as const;
const seconds = { kind: "whole", min: 0, max: 86_400 } as const;
const milliseconds = { kind: "whole", min: 0, max: 86_400_000 } as const;
const count = { kind: "whole", min: 0, max: 1_000_000_000 } as const;
const variables = {
  kind: "map",
  keyPattern: "^[A-Za-z_][A-Za-z0-9_.-]*$",
  keyExpected: "a variable's name",
  value: { kind: "scalar" },
} as const;

const TIMEOUTS = {
  read_timeout_seconds: seconds,
  write_timeout_seconds: seconds,
  idle_timeout_seconds: seconds,
} as const;

export const TQSERVER_WORKER_FIELDS = {
  name: { ...text, description: "Its name, when it is not the folder's." },
  log_file: { ...text, description: "TQServer's; `warren logs` has the output." },
  logging: { ...any, description: "TQServer's; `warren logs` has the output." },
  go: {
    kind: "record",
    description: "TQServer's, of type go.",
    fields: { go_max_procs: count, go_mem_limit: { kind: "scalar" }, ...TIMEOUTS, max_requests: count },
  },
  bun: {
    kind: "record",
    description: "TQServer's, of type bun.",
    fields: { entrypoint: { ...text, default: "index.ts" }, env: variables },
  },
  php: { ...any, description: "TQServer's, of type php, which is not implemented." },
  scaling: {
    kind: "record",
    description: "TQServer's; `min_workers` is `instances`.",
    fields: {
      min_workers: { kind: "whole", min: 0, max: 100 },
      max_workers: count,
      queue_threshold: count,
      scale_down_delay: { kind: "scalar" },
    },
  },
  runtime: { ...any, description: "TQServer's documents have it, its code does not read it." },
  timeouts: { ...any, description: "TQServer's documents have it, its code does not read it." },
  document_root: { ...any, description: "TQServer's documents have it, its code does not read it." },
} as const;

export const TQSERVER_FIELDS = {
  kind: "record",
  fields: {
    server: {
      kind: "record",
      fields: {
        port: { kind: "whole", min: 0, max: 65_535 },
        ...TIMEOUTS,
        log_file: any,
      },
    },
    workers: {
      kind: "record",
      fields: {
        directory: text,
        port_range_start: { kind: "whole", min: 1, max: 65_535 },
        port_range_end: { kind: "whole", min: 1, max: 65_535 },
        startup_delay_ms: milliseconds,
        restart_delay_ms: milliseconds,
        shutdown_grace_period_ms: milliseconds,
        health_check_wait_timeout_ms: milliseconds,
        health_check_timeout_ms: milliseconds,
      },
    },
    file_watcher: { kind: "record", fields: { debounce_ms: milliseconds } },
    metrics: { kind: "record", fields: { enabled: { kind: "flag" }, path: text } },
    socks5: {
      kind: "record",
      fields: { enabled: any, port: any, log_file: any, log_format: any, https_inspection: any },
    },
    https_inspection: any,
  },
} as const;

export type TqServerFile = ValueOf<typeof TQSERVER_FIELDS>;
