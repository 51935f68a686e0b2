import type { BuildFailure } from "../../protocol/front-messages.ts";
import { escapeHtml, withoutControls } from "./escape.ts";
import { layout } from "./layout.ts";
import type { Medium } from "./media.ts";
import { type Page, pageOf } from "./page.ts";

/** Shown in development until the next good save: where it fails, with the lines around, and what the build or the program said last. */
export interface FailurePageFacts {
  failure: BuildFailure;
  project: string;
  /** HTML of the live reload script, by which the page goes away when the next version serves. */
  script: string;
}

const PLACES_SHOWN = 20;

export function failurePage({ failure, project, script }: FailurePageFacts, medium: Medium): Page {
  switch (medium) {
    case "json":
      return pageOf(
        500,
        medium,
        `${JSON.stringify({ error: sentenceOf(failure), code: codeOf(failure), status: 500, failure })}\n`,
      );
    case "text":
      return pageOf(500, medium, textOf(failure));
    case "html":
      return pageOf(500, medium, htmlOf(failure, project, script));
  }
}

const codeOf = ({ phase }: BuildFailure): string => (phase === "build" ? "BUILD_FAILED" : "START_FAILED");

const titleOf = ({ worker, phase }: BuildFailure): string =>
  `${worker} ${phase === "build" ? "cannot be built" : "does not start"}`;

const sentenceOf = (failure: BuildFailure): string => `${titleOf(failure)}: ${withoutControls(failure.message)}`;

const placeOf = ({ file, line, column }: BuildFailure["places"][number]): string => `${file}:${line}:${column}`;

function htmlOf(failure: BuildFailure, project: string, script: string): string {
  const { message, places, output, at } = failure;
  const shown = places
    .slice(0, PLACES_SHOWN)
    .map(
      (place) =>
        `<h2>${escapeHtml(placeOf(place))}</h2>\n${place.message === message ? "" : `<p class="mark">${escapeHtml(place.message)}</p>\n`}${preOf(place.frame)}`,
    );
  const more = places.length > PLACES_SHOWN ? [`<p class="soft">and ${places.length - PLACES_SHOWN} more</p>`] : [];
  const last = output.length === 0 ? [] : [`<h2>Last output</h2>`, preOf(output)];
  const content = [`<p class="mark">${escapeHtml(message)}</p>`, ...shown, ...more, ...last].join("\n");
  const goesOn = script === "" ? "load this page again once it works" : "this page goes on by itself once it works";
  const footer = `500 · ${project} · ${at} · ${goesOn}`;
  return layout({ status: 500, title: titleOf(failure), content, footer, script });
}

const preOf = (lines: readonly string[]): string =>
  lines.length === 0 ? "" : `<pre tabindex="0">${lines.map(escapeHtml).join("\n")}</pre>`;

function textOf(failure: BuildFailure): string {
  const places = failure.places.flatMap((place) => ["", `${placeOf(place)}: ${place.message}`, ...place.frame]);
  const output = failure.output.length === 0 ? [] : ["", "Last output:", ...failure.output];
  return `${[sentenceOf(failure), ...places, ...output].map(withoutControls).join("\n")}\n`;
}
