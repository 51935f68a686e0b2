export const DASHBOARD_SCRIPT_PATH = "/.warren/dashboard.js";

/**
 * Keeps the page as it would be if it were loaded now: asks for it every two seconds while it is seen, and takes over the sections that have changed, but for
 * one in which somebody has selected something or stands with the keyboard. Without it the page reloads as a whole.
 */
export const DASHBOARD_SCRIPT = `(() => {
  const notice = document.getElementById("notice");
  let since = Date.now();
  let timer;

  const isInUse = (section) => {
    const selection = getSelection();
    return section.contains(document.activeElement) || (selection !== null && !selection.isCollapsed && section.contains(selection.anchorNode));
  };
  const take = (text) => {
    const next = new DOMParser().parseFromString(text, "text/html");
    for (const section of document.querySelectorAll("[data-live]")) {
      const other = next.getElementById(section.id);
      if (other !== null && other.innerHTML !== section.innerHTML && !isInUse(section)) section.innerHTML = other.innerHTML;
    }
    document.title = next.title;
  };
  const say = (text) => {
    if (notice.textContent !== text) notice.textContent = text;
    document.body.classList.toggle("stale", text !== "");
  };
  const ask = async () => {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (!answer.ok) throw new Error(String(answer.status));
      take(await answer.text());
      since = Date.now();
      say("");
    } catch {
      const at = new Date(since).toLocaleTimeString();
      say("The gateway does not answer. This is what was so at " + at + "; the page goes on by itself.");
    }
    next();
  };
  const next = () => {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(ask, 2000);
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : ask()));
  next();
})();
`;
