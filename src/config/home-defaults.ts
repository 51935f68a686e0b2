/** What holds without a config.yaml. Apart from its reader, so that a server without one never loads YAML. */
export interface HomeConfig {
  server: {
    /** 0: never. Default 30 minutes. */
    idleMs: number;
  };
  jobs: {
    /** Default 10 seconds. */
    graceMs: number;
    /** Of each stream of a run. Default 256 MiB. */
    logMaxBytes: number;
    /** Default 256 MiB. */
    freeSpaceFloorBytes: number;
  };
  sessions: { default: string; detach: string };
  mail: { nats: string | null };
  hubs: string[];
}

const MEBIBYTE = 1024 * 1024;

export const DEFAULT_HOME_CONFIG: HomeConfig = {
  server: { idleMs: 30 * 60_000 },
  jobs: { graceMs: 10_000, logMaxBytes: 256 * MEBIBYTE, freeSpaceFloorBytes: 256 * MEBIBYTE },
  sessions: { default: "bash", detach: "ctrl-\\ d" },
  mail: { nats: null },
  hubs: [],
};
