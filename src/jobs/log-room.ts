import { statSync } from "node:fs";
import { readdir, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Log } from "../platform/log.ts";
import { holdBallast, releaseBallast } from "../runs/logs/ballast.ts";
import { capRunLog } from "../runs/logs/cap.ts";
import { logPaths, runIdOfFile } from "../runs/logs/files.ts";
import { enforceFreeSpaceFloor, type FloorCandidate, type FloorResult } from "../runs/logs/floor.ts";
import type { Ledger } from "./ledger.ts";
import type { LiveRun } from "./live-run.ts";
import type { RunRecord } from "./records.ts";
import type { Runner } from "./runner.ts";
import type { JobStore } from "./store.ts";

/**
 * The room that logs take: each is kept within its cap, and the disk below them above its floor. Looks when it is told to; what was dropped is in the rows of the
 * runs, and what the floor took is told as an event.
 */
export interface LogRoomOptions {
  store: JobStore;
  ledger: Ledger;
  runner: Runner;
  log: Log;
  logsDir: string;
  /** Default cap of each of a run's two logs. */
  logMaxBytes: number;
  freeSpaceFloorBytes: number;
}

/** Ended runs whose files are looked at together when space is short. */
const FLOOR_BATCH = 5_000;

export class LogRoom {
  readonly #options: LogRoomOptions;
  /** Ended since the last look: they may have written more than their cap since the look before. */
  readonly #justEnded: RunRecord[] = [];
  /** Beside the logs: the state is there too. */
  readonly #ballastPath: string;

  constructor(options: LogRoomOptions) {
    this.#options = options;
    this.#ballastPath = join(dirname(options.logsDir), "ballast");
  }

  start(): void {
    void holdBallast(this.#ballastPath);
  }

  /** Its logs are looked at once more. */
  afterEnd(run: RunRecord): void {
    this.#justEnded.push(run);
  }

  get hasEnded(): boolean {
    return this.#justEnded.length > 0;
  }

  async keepFloor(): Promise<void> {
    const { logsDir, freeSpaceFloorBytes, ledger, store, log } = this.#options;
    const { bavail, bsize } = await statfs(logsDir);
    if (bavail * bsize >= freeSpaceFloorBytes) return holdBallast(this.#ballastPath);
    await releaseBallast(this.#ballastPath);
    const { freed, freeBytes } = await this.#makeRoom(freeSpaceFloorBytes);
    if (freed.length === 0) return;
    log.warn("disk_low", { free_bytes: freeBytes, freed: freed.length });
    ledger.tryCommit((tell) => {
      for (const { runId, kind, freedBytes, droppedBytes } of freed) {
        const run = store.run(runId);
        const job = run && store.job(run.jobId);
        if (job)
          tell("job_updated", job, run, {
            disk_low: { kind, freed_bytes: freedBytes, dropped_bytes: droppedBytes, free_bytes: freeBytes },
          });
      }
    });
  }

  async capLive(run: LiveRun): Promise<void> {
    const dropped = await this.#capLogs(run.record);
    if (dropped && !run.over.aborted) run.record = { ...run.record, ...atLeast(run.record, dropped) };
  }

  /** Those that have ended since the last call. */
  async capEnded(): Promise<void> {
    for (const { id } of this.#justEnded.splice(0)) await this.#capOneEnded(id);
  }

  async #capOneEnded(runId: string): Promise<void> {
    const { store, ledger } = this.#options;
    const ended = store.run(runId);
    const dropped = ended && (await this.#capLogs(ended));
    const run = store.run(runId); // it may have been removed meanwhile
    if (run && dropped) ledger.tryCommit(() => store.updateRun({ ...run, ...atLeast(run, dropped) }));
  }

  /** Absolute offsets before which all is gone; undefined when nothing is. */
  async #capLogs({ id, jobId }: RunRecord): Promise<Dropped | undefined> {
    const { logsDir, logMaxBytes, store } = this.#options;
    const maxBytes = store.job(jobId)?.options.log_max_bytes ?? logMaxBytes;
    const { stdoutPath, stderrPath } = logPaths(logsDir, id);
    const stdoutDropped = await cap(stdoutPath, maxBytes);
    const stderrDropped = await cap(stderrPath, maxBytes);
    return stdoutDropped === 0 && stderrDropped === 0 ? undefined : { stdoutDropped, stderrDropped };
  }

  /** The oldest first, a batch at a time, until there is enough; live runs behind all that have ended. */
  async #makeRoom(floorBytes: number): Promise<FloorResult> {
    const { logsDir, runner } = this.#options;
    const ended = await this.#endedWithLogs();
    const all: FloorResult = { freed: [], freeBytes: 0 };
    for (let at = 0; at <= ended.length; at += FLOOR_BATCH) {
      const batch = ended.slice(at, at + FLOOR_BATCH).flatMap((id) => this.#candidates(id, false));
      const isLast = at + FLOOR_BATCH > ended.length;
      const live = isLast ? [...runner.live].flatMap(({ id }) => this.#candidates(id, true)) : [];
      const { freed, freeBytes } = await enforceFreeSpaceFloor({
        dir: logsDir,
        floorBytes,
        candidates: [...batch, ...live],
      });
      all.freed.push(...freed);
      all.freeBytes = freeBytes;
      if (freeBytes >= floorBytes) break;
    }
    return all;
  }

  /** Rows stay when their logs go: most of a long history has none. */
  async #endedWithLogs(): Promise<string[]> {
    const withLogs = new Set((await readdir(this.#options.logsDir)).map(runIdOfFile));
    return this.#options.store.endedOf([...withLogs].filter((id) => id !== undefined));
  }

  #candidates(runId: string, live: boolean): FloorCandidate[] {
    const { stdoutPath, stderrPath } = logPaths(this.#options.logsDir, runId);
    return [stdoutPath, stderrPath].map((path) => ({ path, runId, live }));
  }
}

interface Dropped {
  stdoutDropped: number;
  stderrDropped: number;
}

const atLeast = (run: RunRecord, { stdoutDropped, stderrDropped }: Dropped): Dropped => ({
  stdoutDropped: Math.max(stdoutDropped, run.stdoutDropped ?? 0),
  stderrDropped: Math.max(stderrDropped, run.stderrDropped ?? 0),
});

/** Looked at cheaply first: most logs are far below their cap. */
async function cap(path: string, maxBytes: number): Promise<number> {
  const diskBytes = (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
  return diskBytes > maxBytes ? (await capRunLog(path, maxBytes)).droppedBytes : 0;
}
