import type { ReactNode } from "react";
import type { ItemOf, ToolContent } from "../../protocol/conversation.ts";
import { plainText } from "../model/plain-text.ts";
import { Diff } from "./Diff.tsx";

const STATES: Readonly<Record<string, { glyph: string; tone: string }>> = {
  pending: { glyph: "◌", tone: "quiet" },
  in_progress: { glyph: "◐", tone: "live" },
  completed: { glyph: "✓", tone: "good" },
  failed: { glyph: "✗", tone: "bad" },
};

/** What an agent does with a tool, folded to one line; a change of a file is shown open. */
export function ToolCall({ item }: { item: ItemOf<"tool_call"> }): ReactNode {
  const { glyph, tone } = STATES[item.status] ?? { glyph: "○", tone: "quiet" };
  const diffs = item.content.filter(({ type }) => type === "diff");
  return (
    <details className="tool" open={diffs.length > 0}>
      <summary>
        <span className={`tone-${tone}`}>
          <span aria-hidden="true">{glyph}</span> <span className="unseen">{item.status.replace("_", " ")}: </span>
        </span>
        {plainText(item.title)} {item.tool_kind !== "other" && <span className="kind">{item.tool_kind}</span>}
      </summary>
      <ToolBody item={item} />
    </details>
  );
}

/** The exact input, and what came of it. */
export function ToolBody({ item }: { item: ItemOf<"tool_call"> }): ReactNode {
  const command = commandOf(item.raw_input);
  const changed = new Set(item.content.map((content) => (content as { path?: string }).path));
  return (
    <div className="tool-body">
      {command !== undefined && <pre>{plainText(command)}</pre>}
      {item.locations
        .filter(({ path }) => !changed.has(path))
        .map(({ path, line }) => (
          <p key={`${path}:${line}`}>
            <code>
              {path}
              {line ? `:${line}` : ""}
            </code>
          </p>
        ))}
      {item.content.map((content, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they have no name and keep their places
        <Content key={at} content={content} />
      ))}
    </div>
  );
}

function Content({ content }: { content: ToolContent }): ReactNode {
  if (content.type === "diff") {
    const { path, oldText, newText } = content as { path?: string; oldText?: string | null; newText?: string };
    return <Diff path={path ?? ""} before={oldText ?? ""} after={newText ?? ""} />;
  }
  const { content: inner } = content as { content?: { text?: string; type?: string } };
  const text = inner?.text;
  return text === undefined ? <p className="words">[{inner?.type ?? content.type}]</p> : <pre>{plainText(text)}</pre>;
}

/** What it runs, where the tool is one that runs something; else what it was given. */
function commandOf(input: unknown): string | undefined {
  if (input === undefined || input === null) return undefined;
  if (typeof input === "string") return input;
  const { command, args } = input as { command?: unknown; args?: unknown };
  if (typeof command === "string") return Array.isArray(args) ? [command, ...args].join(" ") : command;
  if (Array.isArray(command)) return command.join(" ");
  const text = JSON.stringify(input, null, 2);
  return text === "{}" ? undefined : text;
}
