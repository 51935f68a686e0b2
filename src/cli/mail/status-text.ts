import { formatBytes } from "../../protocol/durations.ts";
import type { MailMember, MailStatus } from "../../protocol/mail-units.ts";
import type { Context } from "../context.ts";
import { shortAge } from "../render/ages.ts";
import { plural } from "../render/plural.ts";
import { facts } from "../render/table.ts";
import { machinesFact } from "./machine-text.ts";
import { escapedLine } from "./untrusted-text.ts";

/** Who leads the mailbox and what waits in it, for people. */
export function statusLines(context: Context, status: MailStatus | undefined): string[] {
  const { output, nowMs } = context;
  if (!status) return ["Nobody leads the mailbox: the next message starts a leader"];
  const { leader, members, messages, unread, dead, log_head, log_bytes, port_problem } = status;
  const since = output.isTerminal ? `${shortAge(nowMs() - Date.parse(leader.since))} ago` : leader.since;
  const head = `Process ${output.style.bold(String(leader.pid))} leads in epoch ${leader.epoch}, since ${since}`;
  return [
    head,
    ...facts(output, [
      ["build", `${leader.version} ${leader.git_hash}${leader.is_dedicated ? ", dedicated" : ""}`],
      ["socket", leader.socket],
      ["port", leader.port === undefined ? `none: ${port_problem ?? "switched off"}` : `127.0.0.1:${leader.port}`],
      ["members", members.length === 0 ? "none" : members.map(memberText).join(", ")],
      ["mail", `${plural(messages, "message")}, ${unread} unread, ${dead} dead`],
      ["log", `${formatBytes(log_bytes)}, up to ${log_head}`],
      ...(status.machines === undefined
        ? []
        : [["machine", machinesFact(context, status.machines)] as [string, string]]),
    ]),
  ];
}

const memberText = ({ kind, name, pid, may_lead }: MailMember): string =>
  [
    escapedLine(name ?? kind),
    pid === undefined ? "" : `(${kind === name || name === undefined ? "" : `${kind} `}${pid})`,
    may_lead ? "" : "never leads",
  ]
    .filter((part) => part !== "")
    .join(" ");
