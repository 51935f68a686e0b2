import type { AnyCommand } from "./command.ts";

/** The verbs by part, as `warren help` shows them. A command is loaded when it is used: what is not used costs nothing. */
export const GROUPS = ["jobs", "sessions", "mail", "logs", "projects", "servers", "machine"] as const;
export type Group = (typeof GROUPS)[number];

export interface Verb {
  name: string;
  group: Group;
  /** One line, starting with a verb in the imperative. */
  summary: string;
  /** Not in the short help, nor offered by completion. */
  hidden?: boolean;
  load: () => Promise<AnyCommand>;
}

export const VERBS: readonly Verb[] = [
  {
    name: "add",
    group: "jobs",
    summary: "start a command in the background",
    load: async () => (await import("./commands/add.ts")).add,
  },
  {
    name: "run",
    group: "jobs",
    summary: "start a command and wait for it; exit as it did",
    load: async () => (await import("./commands/run.ts")).run,
  },
  {
    name: "create",
    group: "jobs",
    summary: "make a job known without starting it",
    hidden: true,
    load: async () => (await import("./commands/create.ts")).create,
  },
  {
    name: "list",
    group: "jobs",
    summary: "show the jobs and workers of this directory",
    load: async () => (await import("./commands/list.ts")).list,
  },
  {
    name: "await",
    group: "jobs",
    summary: "watch a job to its end; exit as it did",
    load: async () => (await import("./commands/await.ts")).await_,
  },
  {
    name: "wait",
    group: "jobs",
    summary: "wait for a port, a line, an end, a worker's health",
    load: async () => (await import("./commands/wait.ts")).wait,
  },
  {
    name: "start",
    group: "jobs",
    summary: "run a job again that has ended",
    load: async () => (await import("./commands/start.ts")).start,
  },
  {
    name: "stop",
    group: "jobs",
    summary: "stop jobs, tree and all",
    load: async () => (await import("./commands/stop.ts")).stop,
  },
  {
    name: "restart",
    group: "jobs",
    summary: "stop and run again",
    load: async () => (await import("./commands/restart.ts")).restart,
  },
  {
    name: "signal",
    group: "jobs",
    summary: "send a signal",
    load: async () => (await import("./commands/signal.ts")).signal,
  },
  {
    name: "remove",
    group: "jobs",
    summary: "remove ended jobs with their history and logs",
    load: async () => (await import("./commands/remove.ts")).remove,
  },
  {
    name: "cleanup",
    group: "jobs",
    summary: "remove all ended jobs of this directory",
    load: async () => (await import("./commands/cleanup.ts")).cleanup,
  },
  {
    name: "runs",
    group: "jobs",
    summary: "show a job's executions; delete one",
    load: async () => (await import("./commands/runs.ts")).runs,
  },
  {
    name: "stats",
    group: "jobs",
    summary: "show how often it succeeds and how long it takes",
    load: async () => (await import("./commands/stats.ts")).stats,
  },
  {
    name: "ports",
    group: "jobs",
    summary: "show where jobs listen",
    load: async () => (await import("./commands/ports.ts")).ports,
  },
  {
    name: "why",
    group: "jobs",
    summary: "say how it ended, or what is wrong with a worker",
    load: async () => (await import("./commands/why.ts")).why,
  },
  {
    name: "new",
    group: "sessions",
    summary: "start a program in a terminal that stays",
    load: async () => (await import("./commands/new.ts")).new_,
  },
  {
    name: "attach",
    group: "sessions",
    summary: "look at a session and type into it",
    load: async () => (await import("./commands/attach.ts")).attach,
  },
  {
    name: "sessions",
    group: "sessions",
    summary: "show the sessions of this home",
    load: async () => (await import("./commands/sessions.ts")).sessions,
  },
  {
    name: "send",
    group: "sessions",
    summary: "type into a session",
    load: async () => (await import("./commands/send.ts")).send,
  },
  {
    name: "prompt",
    group: "sessions",
    summary: "say something to an agent",
    load: async () => (await import("./commands/prompt.ts")).prompt,
  },
  {
    name: "approve",
    group: "sessions",
    summary: "allow what an agent asks for",
    load: async () => (await import("./commands/approve.ts")).approve,
  },
  {
    name: "deny",
    group: "sessions",
    summary: "refuse it",
    load: async () => (await import("./commands/deny.ts")).deny,
  },
  {
    name: "cancel",
    group: "sessions",
    summary: "stop an agent's turn",
    load: async () => (await import("./commands/cancel.ts")).cancel,
  },
  {
    name: "mode",
    group: "sessions",
    summary: "show or change an agent's mode",
    load: async () => (await import("./commands/mode.ts")).mode,
  },
  {
    name: "login",
    group: "sessions",
    summary: "log an agent in",
    load: async () => (await import("./commands/login.ts")).login,
  },
  {
    name: "history",
    group: "sessions",
    summary: "print what a session has shown, as text",
    load: async () => (await import("./commands/history.ts")).history,
  },
  {
    name: "export",
    group: "sessions",
    summary: "write a session as an asciinema recording",
    load: async () => (await import("./commands/export.ts")).export_,
  },
  {
    name: "rename",
    group: "sessions",
    summary: "give a session another name",
    load: async () => (await import("./commands/rename.ts")).rename,
  },
  {
    name: "move",
    group: "sessions",
    summary: "give a live session to another server",
    load: async () => (await import("./commands/move.ts")).move,
  },
  {
    name: "resume",
    group: "sessions",
    summary: "start a session again that has ended",
    load: async () => (await import("./commands/resume.ts")).resume,
  },
  {
    name: "mail",
    group: "mail",
    summary: "messages between agents, sessions and people",
    load: async () => (await import("./commands/mail.ts")).mail,
  },
  {
    name: "logs",
    group: "logs",
    summary: "print or follow output; read on from a cursor",
    load: async () => (await import("./commands/logs.ts")).logs,
  },
  {
    name: "stdout",
    group: "logs",
    summary: "print stdout, byte for byte",
    load: async () => (await import("./commands/stdout.ts")).stdout,
  },
  {
    name: "stderr",
    group: "logs",
    summary: "print stderr, byte for byte",
    load: async () => (await import("./commands/stderr.ts")).stderr,
  },
  {
    name: "events",
    group: "logs",
    summary: "print what happens, a JSON object a line",
    load: async () => (await import("./commands/events.ts")).events,
  },
  {
    name: "up",
    group: "projects",
    summary: "run the jobs of this project's warren.yaml",
    load: async () => (await import("./commands/up.ts")).up,
  },
  {
    name: "down",
    group: "projects",
    summary: "stop them",
    load: async () => (await import("./commands/down.ts")).down,
  },
  {
    name: "init",
    group: "projects",
    summary: "make a small project with workers",
    load: async () => (await import("./commands/init.ts")).init,
  },
  {
    name: "import",
    group: "projects",
    summary: "make a warren.yaml from another tool's file",
    load: async () => (await import("./commands/import.ts")).import_,
  },
  {
    name: "agents-md",
    group: "projects",
    summary: "print what a coding agent should know",
    load: async () => (await import("./commands/agents-md.ts")).agentsMd,
  },
  {
    name: "servers",
    group: "servers",
    summary: "show the servers of this home",
    load: async () => (await import("./commands/servers.ts")).servers,
  },
  {
    name: "status",
    group: "servers",
    summary: "show facts about the server",
    load: async () => (await import("./commands/status.ts")).status,
  },
  {
    name: "ping",
    group: "servers",
    summary: "see whether the server answers",
    load: async () => (await import("./commands/ping.ts")).ping,
  },
  {
    name: "reload",
    group: "servers",
    summary: "replace the server by this build; jobs go on",
    load: async () => (await import("./commands/reload.ts")).reload,
  },
  {
    name: "shutdown",
    group: "servers",
    summary: "end a server; jobs go on",
    load: async () => (await import("./commands/shutdown.ts")).shutdown,
  },
  {
    name: "serve",
    group: "servers",
    summary: "start the server by hand",
    hidden: true,
    load: async () => (await import("./commands/serve.ts")).serve,
  },
  {
    name: "gateway",
    group: "projects",
    summary: "steer this project's HTTP server and its workers",
    load: async () => (await import("./commands/gateway.ts")).gateway,
  },
  {
    name: "receive",
    group: "projects",
    summary: "take a deploy, at the other end of its ssh",
    hidden: true,
    load: async () => (await import("./commands/receive.ts")).receive,
  },
  {
    name: "debug",
    group: "servers",
    summary: "look into a server",
    load: async () => (await import("./commands/debug.ts")).debug,
  },
  {
    name: "nuke",
    group: "servers",
    summary: "stop and remove everything",
    load: async () => (await import("./commands/nuke.ts")).nuke,
  },
  {
    name: "overview",
    group: "machine",
    summary: "what runs here, in a card",
    load: async () => (await import("./commands/overview.ts")).overview,
  },
  {
    name: "here",
    group: "machine",
    summary: "what warren alone does",
    hidden: true,
    load: async () => (await import("./commands/here.ts")).here,
  },
  {
    name: "tui",
    group: "machine",
    summary: "everything on one screen",
    load: async () => (await import("./commands/tui.ts")).tui,
  },
  {
    name: "web",
    group: "machine",
    summary: "everything in a browser",
    load: async () => (await import("./commands/web.ts")).web,
  },
  {
    name: "mcp",
    group: "machine",
    summary: "give coding agents these tools (MCP)",
    load: async () => (await import("./commands/mcp.ts")).mcp,
  },
  {
    name: "hub",
    group: "machine",
    summary: "be a meeting point for machines and devices",
    load: async () => (await import("./commands/hub.ts")).hub,
  },
  {
    name: "pair",
    group: "machine",
    summary: "let a phone or another device steer this machine",
    load: async () => (await import("./commands/pair.ts")).pair,
  },
  {
    name: "devices",
    group: "machine",
    summary: "show who may steer it; revoke, rename, limit",
    load: async () => (await import("./commands/devices.ts")).devices,
  },
  {
    name: "hubs",
    group: "machine",
    summary: "show where it can be met; rename, leave",
    load: async () => (await import("./commands/hubs.ts")).hubs,
  },
  {
    name: "doctor",
    group: "machine",
    summary: "check what could be wrong",
    load: async () => (await import("./commands/doctor.ts")).doctor,
  },
  {
    name: "boot",
    group: "machine",
    summary: "start with the machine: enable, disable, status",
    load: async () => (await import("./commands/boot.ts")).boot,
  },
  {
    name: "completion",
    group: "machine",
    summary: "print the completion script of a shell",
    load: async () => (await import("./commands/completion.ts")).completion,
  },
  {
    name: "help",
    group: "machine",
    summary: "explain a command",
    load: async () => (await import("./commands/help.ts")).help,
  },
  {
    name: "version",
    group: "machine",
    summary: "print the version",
    load: async () => (await import("./commands/version.ts")).version,
  },
  {
    name: "__complete",
    group: "machine",
    summary: "complete a command line",
    hidden: true,
    load: async () => (await import("./commands/complete.ts")).complete,
  },
];

export const findVerb = (name: string): Verb | undefined => VERBS.find((verb) => verb.name === name);
