import { WORKER_FIELDS } from "./worker-fields.ts";

/**
 * `gateway.app`: the project itself as a worker, for an application that has a folder of its own already and no folder of workers. What it is made of is the
 * project's folder, so that there is nothing that we could build into it: it is a command.
 */
const { path, host, methods, rewrite, redirect, command, instances, env, env_file, allow_env, health, ignore } =
  WORKER_FIELDS.fields;
const { drain, grace, start_timeout, probation, hold, memory, live_reload, takes_socket } = WORKER_FIELDS.fields;

export const APP_FIELD = {
  kind: "record",
  description: "The project itself as a worker: an application that has its folder already.",
  fields: {
    name: { kind: "text", default: "app", description: "What it is called." },
    command: { ...command, description: "What listens on $PORT, run in the project's folder." },
    path: { ...path, default: "/", description: "Where it is reached: this path and all below it." },
    ...{ host, methods, rewrite, redirect, instances, env, env_file, allow_env, health, ignore },
    public: { kind: "text", default: "public", description: "Its files that are served as they are." },
    ...{ drain, grace, start_timeout, probation, hold, memory, live_reload, takes_socket },
  },
  required: ["command"],
  foreign: WORKER_FIELDS.foreign,
} as const;
