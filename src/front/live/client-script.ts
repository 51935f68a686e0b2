import { escapeHtml } from "../pages/escape.ts";
import type { LiveState } from "./live-pages.ts";

/** Reserved for the gateway on its public port. */
export const RESERVED_PREFIX = "/.warren/";
export const SCRIPT_PATH = "/.warren/live.js";
export const STREAM_PATH = "/.warren/live";

/** What is put into a page of this worker: the script, with the mark of what the page was made by. */
export function scriptTag(worker: string, { front, count, version }: LiveState): string {
  const mark = new URLSearchParams({ worker, front, count: String(count), version });
  return `<script src="${SCRIPT_PATH}?${escapeHtml(mark.toString())}" defer></script>\n`;
}

/**
 * Runs in the page. It listens only while the page is seen, since a browser has six connections to a host for all its tabs; what happened meanwhile the mark
 * tells. A page that is no newer after it was loaded again came out of a cache, and is not loaded a third time.
 */
export const CLIENT_SCRIPT = `(() => {
  const script = document.currentScript;
  if (script === null || window.warrenLive) return;
  window.warrenLive = true;
  const mark = new URL(script.src).searchParams;
  const mine = { front: mark.get("front"), count: Number(mark.get("count")), version: mark.get("version") };
  let stream;

  const open = () => {
    if (stream !== undefined || document.hidden) return;
    stream = new EventSource("${STREAM_PATH}?worker=" + encodeURIComponent(mark.get("worker") ?? ""));
    stream.addEventListener("state", ({ data }) => compare(JSON.parse(data)));
    stream.addEventListener("css", ({ data }) => restyle(JSON.parse(data)));
    stream.addEventListener("error", () => {
      if (stream?.readyState !== EventSource.CLOSED) return;
      close();
      setTimeout(open, 1000);
    });
  };
  const close = () => {
    stream?.close();
    stream = undefined;
  };

  const compare = ({ front, count, version }) => {
    const isOther = version !== "" && mine.version !== "" && version !== mine.version;
    if (isOther || (front === mine.front && count !== mine.count)) reload(JSON.stringify([location.href, front, count, version]));
  };
  const reload = (because) => {
    try {
      if (sessionStorage.getItem("warren-live") === because) return;
      sessionStorage.setItem("warren-live", because);
    } catch {}
    close();
    location.reload();
  };

  const restyle = (state) => {
    if (state.front !== mine.front || state.count !== mine.count + 1) return compare(state);
    const links = [...document.querySelectorAll("link[rel~=stylesheet][href]")];
    const loaded = new Set(performance.getEntriesByType("resource").map(({ name }) => pathOf(name)));
    for (const path of state.paths.map(decoded)) {
      const meant = links.filter(({ href }) => new URL(href).origin === location.origin && pathOf(href) === path);
      // Loaded by another way than a link, by @import perhaps: only the page as a whole can be mended.
      if (meant.length === 0 && loaded.has(path)) return compare(state);
      for (const link of meant) replace(link);
    }
    mine.count = state.count;
  };
  // What of a path is percent-encoded is everybody's own choice.
  const decoded = (path) => {
    try {
      return decodeURIComponent(path);
    } catch {
      return path;
    }
  };
  const pathOf = (url) => decoded(new URL(url).pathname);
  const replace = (link) => {
    const url = new URL(link.href);
    url.searchParams.set("warren-live", String(Date.now()));
    const next = link.cloneNode();
    next.href = url.href;
    next.addEventListener("load", () => link.remove(), { once: true });
    next.addEventListener("error", () => next.remove(), { once: true });
    link.after(next);
  };

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
})();
`;
