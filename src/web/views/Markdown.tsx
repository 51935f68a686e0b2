import { type ReactNode, useMemo } from "react";
import { type Block, markdownBlocks, type Run } from "../model/markdown.ts";
import { plainText } from "../model/plain-text.ts";

/** An agent's text as elements, never as HTML. */
export function Markdown({ text }: { text: string }): ReactNode {
  const blocks = useMemo(() => markdownBlocks(plainText(text)), [text]);
  return (
    <div className="markdown">
      {blocks.map((block, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they have no name and keep their places
        <OneBlock key={at} block={block} />
      ))}
    </div>
  );
}

function OneBlock({ block }: { block: Block }): ReactNode {
  switch (block.kind) {
    case "paragraph":
      return (
        <p>
          <Runs runs={block.runs} />
        </p>
      );
    case "heading":
      return (
        <p className={`heading level-${block.level}`}>
          <Runs runs={block.runs} />
        </p>
      );
    case "code":
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys
        <pre tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      );
    case "quote":
      return (
        <blockquote>
          <Runs runs={block.runs} />
        </blockquote>
      );
    case "rule":
      return <hr />;
    case "list": {
      const items = block.items.map((runs, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they have no name and keep their places
        <li key={at}>
          <Runs runs={runs} />
        </li>
      ));
      return block.isOrdered ? <ol start={block.start}>{items}</ol> : <ul>{items}</ul>;
    }
  }
}

function Runs({ runs }: { runs: readonly Run[] }): ReactNode {
  // biome-ignore lint/suspicious/noArrayIndexKey: they have no name and keep their places
  return runs.map((run, at) => <OneRun key={`${at}`} run={run} />);
}

function OneRun({ run }: { run: Run }): ReactNode {
  switch (run.kind) {
    case "text":
      return run.text;
    case "code":
      return <code>{run.text}</code>;
    case "strong":
      return <strong>{run.text}</strong>;
    case "emphasis":
      return <em>{run.text}</em>;
    case "link":
      return (
        <a href={run.url} target="_blank" rel="noreferrer noopener">
          {run.text}
        </a>
      );
  }
}
