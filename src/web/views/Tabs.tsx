import type { ReactNode } from "react";
import type { Route } from "../model/route.ts";

/** The bar at the lower edge of a phone. */
export function Tabs({ route, waiting, mail }: { route: Route; waiting: number; mail: number }): ReactNode {
  const tabs = [
    { page: "units", href: "#/", label: "Units", count: 0 },
    { page: "inbox", href: "#/inbox", label: "Inbox", count: waiting },
    { page: "mail", href: "#/mail", label: "Mail", count: mail },
    { page: "new", href: "#/new", label: "New", count: 0 },
    { page: "more", href: "#/more", label: "More", count: 0 },
  ];
  return (
    <nav className="tabs" aria-label="Pages">
      {tabs.map(({ page, href, label, count }) => (
        <a key={page} href={href} aria-current={isUnder(route, page) ? "page" : undefined}>
          {label}
          {count > 0 && <span className="badge">{count}</span>}
        </a>
      ))}
    </nav>
  );
}

/** Whoever is on a page that is reached by More is still there. */
const isUnder = ({ page }: Route, tab: string): boolean =>
  page === tab || (tab === "more" && ["hubs", "pair", "devices", "outbox", "ended", "settings"].includes(page));
