import { html, Markup } from "./markup.ts";
import { DASHBOARD_SCRIPT_PATH } from "./script.ts";
import { STYLE } from "./style.ts";

export interface FrameParts {
  title: string;
  /** Sections, each with an id and `data-live`. */
  content: Markup;
}

/** What all dashboard pages have around their content. Without scripts it is loaded again every few seconds. */
export const frame = ({ title, content }: FrameParts): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${new Markup(STYLE)}
</style>
<noscript><meta http-equiv="refresh" content="5"></noscript>
</head>
<body>
<main>
${content}
<p id="notice" role="status"></p>
</main>
<script src="${DASHBOARD_SCRIPT_PATH}" defer></script>
</body>
</html>
`.text;
