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
  sessions: {
    detach: string;
    /** First and last. Far from the ports of well-known servers, and below those that systems give out by themselves (from 32768). */
    ports: { from: number; to: number };
  };
  mail: {
    /** For sh; null: none. */
    onLeaderChanged: string | null;
  };
}

const MEBIBYTE = 1024 * 1024;

export const DEFAULT_HOME_CONFIG: HomeConfig = {
  server: { idleMs: 30 * 60_000 },
  jobs: { graceMs: 10_000, logMaxBytes: 256 * MEBIBYTE, freeSpaceFloorBytes: 256 * MEBIBYTE },
  sessions: { detach: "ctrl-\\ d", ports: { from: 14_000, to: 14_999 } },
  mail: { onLeaderChanged: null },
};
