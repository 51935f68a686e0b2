import { escapeHtml } from "./escape.ts";
import { TOKENS } from "./tokens.ts";

/** One page's frame: nothing from elsewhere, readable without scripts, light or dark as the system is. */
const STYLE = `${TOKENS}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 12vh 1.5rem 4rem; }
h1 { font-size: 1.5rem; font-weight: 600; line-height: 1.3; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: .95rem; font-weight: 600; margin: 2rem 0 .5rem; overflow-wrap: anywhere; }
p { margin: 0 0 .75rem; overflow-wrap: anywhere; }
.soft, footer { color: var(--soft); }
.mark { color: var(--bad); white-space: pre-wrap; }
ul { margin: 0; padding-left: 1.2rem; } li { overflow-wrap: anywhere; font: .875rem/1.7 ui-monospace, monospace; }
pre:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
pre { margin: 0; padding: .9rem 1rem; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; overflow-x: auto; tab-size: 2; font: .875rem/1.5 ui-monospace, monospace; }
footer { margin-top: 2.5rem; font-size: .85rem; }`;

export interface PageParts {
  status: number;
  title: string;
  /** HTML, already escaped. */
  content: string;
  /** Said small at the end. */
  footer: string;
  /** HTML of a script that reloads the page; ours. */
  script?: string;
}

export const layout = ({ status, title, content, footer, script = "" }: PageParts): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${status} ${escapeHtml(title)}</title>
<style>${STYLE}
</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${content}
<footer>${escapeHtml(footer)}</footer>
</main>
${script}</body>
</html>
`;
