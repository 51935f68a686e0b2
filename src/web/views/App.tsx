import { type ReactNode, useEffect, useMemo, useState } from "react";
import { rowsOf } from "../model/rows.ts";
import { Header } from "./Header.tsx";
import { InboxPage } from "./InboxPage.tsx";
import { Keys } from "./Keys.tsx";
import { useAppKeys } from "./keys.ts";
import { MailPage } from "./MailPage.tsx";
import { NewPage } from "./NewPage.tsx";
import { Notes } from "./Notes.tsx";
import { Palette } from "./Palette.tsx";
import { Tabs } from "./Tabs.tsx";
import { UnitList } from "./UnitList.tsx";
import { UnitPage } from "./UnitPage.tsx";
import { useHome, useIsWide, useRoute } from "./world.ts";

/** The whole page: on a desktop the list left and the unit right, on a phone one of them with the bar below. */
export function App(): ReactNode {
  const home = useHome();
  const route = useRoute();
  const isWide = useIsWide();
  const rows = useMemo(() => rowsOf(home), [home]);
  const [over, setOver] = useState<"palette" | "keys" | undefined>();
  useAppKeys({ rows, route, over, setOver });
  const waiting = rows.filter(({ needsYou }) => needsYou).length;
  const mailCount = home.mail.unread.length;
  useEffect(() => {
    document.title = waiting > 0 ? `(${waiting}) Warren` : "Warren";
  }, [waiting]);
  const isList = route.page === "units";
  return (
    <div className={`app ${isWide ? "wide" : "narrow"}`} data-live={home.way.kind === "live"}>
      <Header rows={rows} onPalette={() => setOver("palette")} onKeys={() => setOver("keys")} />
      <div className="panes">
        {isWide && <UnitList rows={rows} selectedKey={keyOf(route)} />}
        <main className="page">
          {!isWide && isList ? (
            <>
              <h1 className="unseen">Units</h1>
              <UnitList rows={rows} selectedKey={undefined} />
            </>
          ) : (
            <Page route={route} rows={rows} />
          )}
        </main>
      </div>
      {!isWide && route.page !== "unit" && <Tabs route={route} waiting={waiting + mailCount} mail={mailCount} />}
      <p className="unseen" aria-live="polite">
        {waiting > 0 ? `${waiting} need you` : ""}
      </p>
      <Notes />
      {over === "palette" && <Palette rows={rows} onClose={() => setOver(undefined)} />}
      {over === "keys" && <Keys onClose={() => setOver(undefined)} />}
    </div>
  );
}

const keyOf = (route: ReturnType<typeof useRoute>): string | undefined =>
  route.page === "unit" ? `${route.kind}/${route.id}` : undefined;

function Page({ route, rows }: { route: ReturnType<typeof useRoute>; rows: ReturnType<typeof rowsOf> }): ReactNode {
  switch (route.page) {
    case "unit":
      return <UnitPage key={keyOf(route)} kind={route.kind} id={route.id} />;
    case "inbox":
      return <InboxPage rows={rows} />;
    case "mail":
      return <MailPage withName={route.with} />;
    case "new":
      return <NewPage />;
    case "units":
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
