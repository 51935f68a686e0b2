import type { Answer, HeadField } from "../proxy/responder.ts";
import { escapeHtml, withoutControls } from "./escape.ts";
import { layout } from "./layout.ts";
import type { Medium } from "./media.ts";

/** What the front answers by itself where there is nothing better to answer. */
export interface Problem {
  status: number;
  /** Stable: what a program looks at. */
  code: string;
  title: string;
  /** One or two sentences: what is the matter, and what to do. */
  text: string;
  worker?: string;
  /** The methods that there are: of a 405. */
  allow?: readonly string[];
  /** For a person. */
  list?: ProblemList | undefined;
}

export interface ProblemList {
  title: string;
  items: readonly string[];
}

/** A page that is ready to be sent. */
export interface Page extends Answer {
  body: string;
}

/** Ours need a style that stands in them, and the live reload script; nothing may frame them into something else. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";

const TYPES: Readonly<Record<Medium, string>> = {
  html: "text/html; charset=utf-8",
  json: "application/json",
  text: "text/plain; charset=utf-8",
};

export function problemPage(problem: Problem, medium: Medium, project: string, requestId: string): Page {
  const headers: HeadField[] = problem.allow === undefined ? [] : [["allow", problem.allow.join(", ")]];
  return pageOf(problem.status, medium, problemBody(problem, medium, project, requestId), headers);
}

/** `no-store`: what is the matter now is not what will be. */
export function pageOf(status: number, medium: Medium, body: string, more: readonly HeadField[] = []): Page {
  const headers: HeadField[] = [
    ...more,
    ["content-type", TYPES[medium]],
    ["cache-control", "no-store"],
    ["vary", "accept, sec-fetch-dest, sec-fetch-mode"],
    ["x-content-type-options", "nosniff"],
  ];
  if (medium === "html") headers.push(["content-security-policy", POLICY]);
  return { status, headers, body };
}

function problemBody(
  { status, code, title, text, worker, list }: Problem,
  medium: Medium,
  project: string,
  id: string,
): string {
  switch (medium) {
    case "json":
      return `${JSON.stringify({ error: text, code, status, worker, request_id: id })}\n`;
    case "text":
      return `${[`${status} ${title}`, text, ...(list === undefined ? [] : ["", `${list.title}:`, ...list.items])].map(withoutControls).join("\n")}\n`;
    case "html":
      return layout({
        status,
        title,
        content: `<p>${escapeHtml(text)}</p>${list === undefined ? "" : listHtml(list)}`,
        footer: `${status} · ${project} · request ${id}`,
      });
  }
}

const listHtml = ({ title, items }: ProblemList): string =>
  `\n<h2>${escapeHtml(title)}</h2>\n<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join("\n")}</ul>`;
