import { join } from "node:path";
import { checkYaml } from "./check.ts";
import type { ValueOf } from "./field.ts";
import { DEFAULT_HOME_CONFIG, type HomeConfig } from "./home-defaults.ts";
import { configInvalid, type Problem } from "./problems.ts";
import { readText } from "./read-text.ts";

/** `config.yaml` in the home: what holds for all projects of this user. */

/** Within 1-65535. */
const PORT = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
const PORT_RANGE = `^${PORT}-${PORT}$`;

export const HOME_FIELDS = {
  kind: "record",
  fields: {
    server: {
      kind: "record",
      fields: {
        idle: {
          kind: "duration",
          default: "30m",
          description: "After this long with nothing to do the server ends; 0 never.",
        },
      },
      foreign: { idle_timeout: "idle" },
    },
    jobs: {
      kind: "record",
      fields: {
        grace: { kind: "duration", default: "10s", description: "Between the stop signal and SIGKILL." },
        log_max_bytes: { kind: "size", default: "256MB", description: "Cap of each of a run's two logs." },
        free_space_floor_bytes: {
          kind: "size",
          default: "256MB",
          description: "Below this much free disk the oldest logs of ended runs go first.",
        },
      },
      foreign: { kill_timeout: "grace", log_max: "log_max_bytes", free_space_floor: "free_space_floor_bytes" },
    },
    sessions: {
      kind: "record",
      fields: {
        detach: { kind: "text", default: "ctrl-\\ d", description: "The keys that detach." },
        ports: {
          kind: "text",
          pattern: PORT_RANGE,
          expected: "a range of ports such as 14000-14999",
          default: "14000-14999",
          description: "Where sessions find their PORT.",
        },
      },
    },
    mail: {
      kind: "record",
      fields: {
        on_leader_changed: {
          kind: "text",
          description: "A command that sh runs whenever another process has begun to lead the mailbox.",
        },
      },
    },
  },
} as const;

/**
 * `config.yaml` of the home, with defaults for what it does not say; without the file, defaults alone.
 * @throws CONFIG_INVALID with all problems; CONFIG_UNREADABLE.
 */
export async function loadHomeConfig(home: string): Promise<HomeConfig> {
  const file = join(home, "config.yaml");
  const { config, problems } = parseHomeConfig((await readText(file)) ?? "", file);
  if (problems.length > 0) throw configInvalid(file, problems);
  return config;
}

export function parseHomeConfig(text: string, file: string): { config: HomeConfig; problems: Problem[] } {
  const { value = {}, problems } = checkYaml(text, file, HOME_FIELDS);
  return { config: withDefaults(value), problems };
}

function withDefaults({ server, jobs, sessions, mail }: ValueOf<typeof HOME_FIELDS>): HomeConfig {
  const defaults = DEFAULT_HOME_CONFIG;
  return {
    server: { idleMs: server?.idle ?? defaults.server.idleMs },
    jobs: {
      graceMs: jobs?.grace ?? defaults.jobs.graceMs,
      logMaxBytes: jobs?.log_max_bytes ?? defaults.jobs.logMaxBytes,
      freeSpaceFloorBytes: jobs?.free_space_floor_bytes ?? defaults.jobs.freeSpaceFloorBytes,
    },
    sessions: {
      detach: sessions?.detach ?? defaults.sessions.detach,
      ports: rangeOf(sessions?.ports) ?? defaults.sessions.ports,
    },
    mail: { onLeaderChanged: mail?.on_leader_changed?.trim() || null },
  };
}

/** One that was written the wrong way round is meant all the same. */
function rangeOf(text: string | undefined): HomeConfig["sessions"]["ports"] | undefined {
  if (text === undefined) return undefined;
  const [one = 0, other = 0] = text.split("-").map(Number);
  return { from: Math.min(one, other), to: Math.max(one, other) };
}
