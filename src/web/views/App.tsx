import { type ReactNode, Suspense, useEffect, useMemo, useState } from "react";
import { countsOf, type FirstScreen } from "../model/first-screen.ts";
import { type Fleet, isLive, rowsMaker } from "../model/fleet.ts";
import { ordered } from "../model/order.ts";
import { keyOfUnit, type Route } from "../model/route.ts";
import { LOCAL, type Row } from "../model/rows.ts";
import { waitingCount } from "../model/waiting-count.ts";
import { Alerts } from "./Alerts.tsx";
import { useOutboxItems } from "./answering.ts";
import { Banner } from "./Banner.tsx";
import { Header } from "./Header.tsx";
import { useAppKeys } from "./keys.ts";
import { NoMachine } from "./NoMachine.tsx";
import { Notes } from "./Notes.tsx";
import { OfMachine } from "./OfMachine.tsx";
import {
  DevicesPage,
  EndedPage,
  fetchPages,
  HubsPage,
  InboxPage,
  Keys,
  MailPage,
  MorePage,
  NewPage,
  OutboxPage,
  PairPage,
  Palette,
  SettingsPage,
  UnitPage,
} from "./pages.tsx";
import { useSettings } from "./settings.tsx";
import { Tabs } from "./Tabs.tsx";
import { UnitList } from "./UnitList.tsx";
import { useApp, useFleet, useIsWide, useRoute } from "./world.ts";

/** The whole page: on a desktop the list left and the unit right, on a phone one of them with the bar below. */
export function App(): ReactNode {
  const app = useApp();
  const fleet = useFleet();
  const route = useRoute();
  const isWide = useIsWide();
  const [makeRows] = useState(rowsMaker);
  const { order } = useSettings();
  const first = firstOf(app.firstScreen.kept, fleet, order);
  const isFirst = first !== undefined;
  const rows = useMemo(() => (isFirst ? NO_ROWS : ordered(makeRows(fleet), order)), [makeRows, fleet, order, isFirst]);
  const [over, setOver] = useState<"palette" | "keys" | undefined>();
  useAppKeys({ rows, route, over, setOver });
  const counts = useMemo(() => first?.counts ?? countsOf(rows), [first, rows]);
  const { needYou: waiting } = counts;
  const mailCount = unreadOf(fleet);
  useEffect(() => {
    document.title = waiting > 0 ? `(${waiting}) Warren` : "Warren";
  }, [waiting]);
  useEffect(fetchPages, []);
  useEffect(() => {
    if (fleet.isRemembered) app.firstScreen.note({ rows, machines: fleet.machines, order });
  }, [app, fleet.isRemembered, fleet.machines, rows, order]);
  const isList = route.page === "units";
  const main = mainMachine(fleet);
  if (!first && (main === undefined || !app.fleet.place(main))) return <Alone route={route} isWide={isWide} />;
  const listed = { rows: first?.rows ?? rows, wholeCount: first?.counts.units };
  return (
    <div
      className={`app ${isWide ? "wide" : "narrow"}`}
      data-live={first ? first.machineCount > 1 : isConfirmed(fleet)}
    >
      <Header counts={counts} hasMachines onPalette={() => setOver("palette")} onKeys={() => setOver("keys")} />
      <Banner />
      <div className="panes">
        {isWide && <UnitList {...listed} selectedKey={keyOf(route)} />}
        <main className="page">
          {!isWide && isList ? (
            <>
              <h1 className="unseen">Units</h1>
              <UnitList {...listed} selectedKey={undefined} />
            </>
          ) : first ? (
            isList ? (
              <NothingOpen />
            ) : (
              LOADING
            )
          ) : (
            // By its key another page is another one: what was open ends, and is not kept aside while the next one is fetched.
            <OfMachine id={main}>
              <Suspense key={keyOf(route) ?? route.page} fallback={LOADING}>
                <Page route={route} rows={rows} onKeys={() => setOver("keys")} />
              </Suspense>
            </OfMachine>
          )}
        </main>
      </div>
      {!isWide && route.page !== "unit" && <Tabs route={route} waiting={waiting + mailCount} mail={mailCount} />}
      {!first && <Alerts rows={rows} />}
      <Notes />
      <Suspense>{over === "palette" && !first && <Palette rows={rows} onClose={() => setOver(undefined)} />}</Suspense>
      <Suspense>{over === "keys" && <Keys onClose={() => setOver(undefined)} />}</Suspense>
    </div>
  );
}

const NO_ROWS: readonly Row[] = [];

/** Undefined: the list itself is known, or nothing that could stand for it. */
const firstOf = (kept: FirstScreen | undefined, { isRemembered, storage }: Fleet, order: FirstScreen["order"]) =>
  kept?.order === order && !isRemembered && (storage.kind === "kept" || storage.kind === "full") ? kept : undefined;

/** The app of a hub before the first machine: it can be paired, and nothing else. */
function Alone({ route, isWide }: { route: Route; isWide: boolean }): ReactNode {
  return (
    <div className={`app ${isWide ? "wide" : "narrow"}`}>
      <Header counts={NONE} hasMachines={false} />
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

const NONE = countsOf([]);
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
          <UnitPage
            key={keyOf(route)}
            row={rows.find(({ key }) => key === keyOf(route))}
            kind={route.kind}
            id={route.id}
          />
        </OfMachine>
      );
    case "inbox":
      return <InboxPage rows={rows} />;
    case "mail":
      return route.machine === undefined ? (
        <MailPage withName={route.with} />
      ) : (
        <OfMachine key={route.machine} id={route.machine} otherwise={<NoMachine isGone />}>
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
    case "ended":
      return <EndedPage />;
    case "settings":
      return <SettingsPage />;
    case "more":
      return <MorePage outboxCount={outboxCount} onKeys={onKeys} />;
    default:
      return <NothingOpen />;
  }
}

function NothingOpen(): ReactNode {
  return (
    <div className="empty">
      <h1>Nothing is open</h1>
      <p>
        Choose a unit from the list. <kbd>j</kbd> and <kbd>k</kbd> go through it, <kbd>?</kbd> shows all keys.
      </p>
    </div>
  );
}
