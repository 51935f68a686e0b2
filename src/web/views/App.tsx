import { type ReactNode, Suspense, useEffect, useMemo, useState } from "react";
import { type Fleet, isLive, rowsMaker } from "../model/fleet.ts";
import { ordered } from "../model/order.ts";
import { waitingCount } from "../model/outbox-lines.ts";
import { keyOfUnit, type Route } from "../model/route.ts";
import { LOCAL, type Row } from "../model/rows.ts";
import { Alerts } from "./Alerts.tsx";
import { useOutboxItems } from "./answering.ts";
import { Banner } from "./Banner.tsx";
import { Header } from "./Header.tsx";
import { Keys } from "./Keys.tsx";
import { useAppKeys } from "./keys.ts";
import { MorePage } from "./MorePage.tsx";
import { NoMachine } from "./NoMachine.tsx";
import { Notes } from "./Notes.tsx";
import { OfMachine } from "./OfMachine.tsx";
import {
  DevicesPage,
  fetchPages,
  HubsPage,
  InboxPage,
  MailPage,
  NewPage,
  OutboxPage,
  PairPage,
  Palette,
  SettingsPage,
} from "./pages.tsx";
import { useSettings } from "./settings.tsx";
import { Tabs } from "./Tabs.tsx";
import { UnitList } from "./UnitList.tsx";
import { UnitPage } from "./UnitPage.tsx";
import { useFleet, useIsWide, useRoute } from "./world.ts";

/** The whole page: on a desktop the list left and the unit right, on a phone one of them with the bar below. */
export function App(): ReactNode {
  const fleet = useFleet();
  const route = useRoute();
  const isWide = useIsWide();
  const [makeRows] = useState(rowsMaker);
  const { order } = useSettings();
  const rows = useMemo(() => ordered(makeRows(fleet), order), [makeRows, fleet, order]);
  const [over, setOver] = useState<"palette" | "keys" | undefined>();
  useAppKeys({ rows, route, over, setOver });
  const waiting = rows.filter(({ needsYou }) => needsYou).length;
  const mailCount = unreadOf(fleet);
  useEffect(() => {
    document.title = waiting > 0 ? `(${waiting}) Warren` : "Warren";
  }, [waiting]);
  useEffect(fetchPages, []);
  const isList = route.page === "units";
  return (
    <OfMachine id={mainMachine(fleet)} otherwise={<Alone route={route} isWide={isWide} />}>
      <div className={`app ${isWide ? "wide" : "narrow"}`} data-live={isConfirmed(fleet)}>
        <Header rows={rows} onPalette={() => setOver("palette")} onKeys={() => setOver("keys")} />
        <Banner />
        <div className="panes">
          {isWide && <UnitList rows={rows} selectedKey={keyOf(route)} />}
          <main className="page">
            {!isWide && isList ? (
              <>
                <h1 className="unseen">Units</h1>
                <UnitList rows={rows} selectedKey={undefined} />
              </>
            ) : (
              // By its key another page is another one: what was open ends, and is not kept aside while the next one is fetched.
              <Suspense key={keyOf(route) ?? route.page} fallback={LOADING}>
                <Page route={route} rows={rows} onKeys={() => setOver("keys")} />
              </Suspense>
            )}
          </main>
        </div>
        {!isWide && route.page !== "unit" && <Tabs route={route} waiting={waiting + mailCount} mail={mailCount} />}
        <Alerts rows={rows} />
        <Notes />
        <Suspense>{over === "palette" && <Palette rows={rows} onClose={() => setOver(undefined)} />}</Suspense>
        {over === "keys" && <Keys onClose={() => setOver(undefined)} />}
      </div>
    </OfMachine>
  );
}

/** The app of a hub before the first machine: it can be paired, and nothing else. */
function Alone({ route, isWide }: { route: Route; isWide: boolean }): ReactNode {
  return (
    <div className={`app ${isWide ? "wide" : "narrow"}`}>
      <Header rows={[]} />
      <Banner />
      <div className="panes">
        <main className="page">
          <Suspense fallback={LOADING}>
            {route.page === "pair" ? <PairPage /> : route.page === "hubs" ? <HubsPage /> : <NoMachine />}
          </Suspense>
        </main>
      </div>
      <Notes />
    </div>
  );
}

const LOADING = <h1 className="words">Loading this page</h1>;

const keyOf = (route: Route): string | undefined => (route.page === "unit" ? keyOfUnit(route) : undefined);

/** What a page that names no machine is about. */
const mainMachine = ({ machines }: Fleet): string | undefined =>
  machines.has(LOCAL) ? LOCAL : machines.keys().next().value;

/** One machine that is away dims everything; of several, rows say it each. */
const isConfirmed = ({ machines }: Fleet): boolean => machines.size > 1 || [...machines.values()].every(isLive);

const unreadOf = ({ machines }: Fleet): number =>
  [...machines.values()].reduce((sum, { home }) => sum + home.mail.unread.length, 0);

function Page({ route, rows, onKeys }: { route: Route; rows: readonly Row[]; onKeys: () => void }): ReactNode {
  const outboxCount = waitingCount(useOutboxItems());
  switch (route.page) {
    case "unit":
      return (
        <OfMachine id={route.machine ?? LOCAL} otherwise={<NoMachine isGone />}>
          <UnitPage key={keyOf(route)} row={rows.find(({ key }) => key === keyOf(route))} kind={route.kind} />
        </OfMachine>
      );
    case "inbox":
      return <InboxPage rows={rows} />;
    case "mail":
      return route.machine === undefined ? (
        <MailPage withName={route.with} />
      ) : (
        <OfMachine id={route.machine} otherwise={<NoMachine isGone />}>
          <MailPage withName={route.with} />
        </OfMachine>
      );
    case "new":
      return <NewPage />;
    case "hubs":
      return <HubsPage />;
    case "pair":
      return <PairPage />;
    case "devices":
      return <DevicesPage />;
    case "outbox":
      return <OutboxPage />;
    case "settings":
      return <SettingsPage />;
    case "more":
      return <MorePage outboxCount={outboxCount} onKeys={onKeys} />;
    default:
      return (
        <div className="empty">
          <h1>Nothing is open</h1>
          <p>
            Choose a unit from the list. <kbd>j</kbd> and <kbd>k</kbd> go through it, <kbd>?</kbd> shows all keys.
          </p>
        </div>
      );
  }
}
