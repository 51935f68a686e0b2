import type { AgentFiles } from "./files.ts";
import { asList, asNumber, asText, type Fields, RPC } from "./json-rpc.ts";
import { RpcFailure } from "./rpc-failure.ts";
import type { AgentTerminals } from "./terminals.ts";

/** What a request of the agent is served with. */
export interface Services {
  files: AgentFiles;
  /** Absent: the agent is told that there are none. */
  terminals?: AgentTerminals;
}

/** Output of a terminal that is kept when the agent names no limit, and that it can have at most: it is answered in one line. */
const TERMINAL_OUTPUT_BYTES_MAX = 1024 * 1024;

type Serve = (params: Fields, services: Services, context: { key: string; signal: AbortSignal }) => Promise<Fields>;

/**
 * The result of a request of the agent. Each may be served twice, when a server dies before its answer is written: reading and writing a file, and
 * what is asked of a terminal, are the same done twice; `terminal/create` is named by `key`.
 * @throws RpcFailure
 */
export async function serve(
  request: { method: string; params: Fields },
  services: Services,
  context: { key: string; signal: AbortSignal },
): Promise<Fields> {
  const method = Object.hasOwn(METHODS, request.method) ? METHODS[request.method] : undefined;
  if (!method) throw new RpcFailure(RPC.methodNotFound, `there is no method ${request.method}`);
  return method(request.params, services, context);
}

const METHODS: Record<string, Serve> = {
  async "fs/read_text_file"(params, { files }) {
    const line = asNumber(params.line);
    const limit = asNumber(params.limit);
    const path = required(params, "path");
    const content = await files.read({
      path,
      ...(line === undefined ? {} : { line }),
      ...(limit === undefined ? {} : { limit }),
    });
    return { content };
  },

  async "fs/write_text_file"(params, { files }) {
    const content = asText(params.content);
    if (content === undefined) throw new RpcFailure(RPC.invalidParams, "content is missing");
    await files.write({ path: required(params, "path"), content });
    return {};
  },

  async "terminal/create"(params, services, { key }) {
    const cwd = asText(params.cwd);
    const args = Array.isArray(params.args) ? params.args.filter((arg) => typeof arg === "string") : [];
    const limit = asNumber(params.outputByteLimit) ?? TERMINAL_OUTPUT_BYTES_MAX;
    const spec = {
      command: required(params, "command"),
      args,
      env: asList(params.env).flatMap(({ name, value }) =>
        typeof name === "string" && typeof value === "string" ? [{ name, value }] : [],
      ),
      ...(cwd === undefined ? {} : { cwd }),
      outputByteLimit: Math.max(0, Math.min(limit, TERMINAL_OUTPUT_BYTES_MAX)),
    };
    return { terminalId: await terminalsOf(services).create(spec, key) };
  },

  async "terminal/output"(params, services) {
    const { output, truncated, exit } = await terminalsOf(services).output(required(params, "terminalId"));
    return { output, truncated, exitStatus: exit };
  },

  async "terminal/wait_for_exit"(params, services, { signal }) {
    return { ...(await terminalsOf(services).waitForExit(required(params, "terminalId"), signal)) };
  },

  async "terminal/kill"(params, services) {
    await terminalsOf(services).kill(required(params, "terminalId"));
    return {};
  },

  async "terminal/release"(params, services) {
    await terminalsOf(services).release(required(params, "terminalId"));
    return {};
  },
};

function terminalsOf({ terminals }: Services): AgentTerminals {
  if (!terminals) throw new RpcFailure(RPC.methodNotFound, "there are no terminals");
  return terminals;
}

function required(params: Fields, name: string): string {
  const value = asText(params[name]);
  if (value === undefined || value === "") throw new RpcFailure(RPC.invalidParams, `${name} is missing`);
  return value;
}
