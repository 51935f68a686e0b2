import { type ComponentType, lazy } from "react";
import { NotLoaded } from "./NotLoaded.tsx";

/** Pages that nobody sees at once: their code is fetched when one of them is opened, and kept by the service worker, so that they open offline too. */
type Pages = typeof import("./other-pages.ts");

const load = () => import("./other-pages.ts");

export const ConversationPage = page(({ ConversationPage: shown }) => shown);
export const DevicesPage = page(({ DevicesPage: shown }) => shown);
export const EndedPage = page(({ EndedPage: shown }) => shown);
export const HubsPage = page(({ HubsPage: shown }) => shown);
export const InboxPage = page(({ InboxPage: shown }) => shown);
export const Keys = page(({ Keys: shown }) => shown);
export const MailPage = page(({ MailPage: shown }) => shown);
export const MorePage = page(({ MorePage: shown }) => shown);
export const NewPage = page(({ NewPage: shown }) => shown);
export const OutboxPage = page(({ OutboxPage: shown }) => shown);
export const PairPage = page(({ PairPage: shown }) => shown);
export const Palette = page(({ Palette: shown }) => shown);
export const RowActions = page(({ RowActions: shown }) => shown);
export const SettingsPage = page(({ SettingsPage: shown }) => shown);
export const UnitPage = page(({ UnitPage: shown }) => shown);

/** Once nothing else is to be done, so that the first of them opens at once. */
export function fetchPages(): void {
  const idly = globalThis.requestIdleCallback ?? ((task: () => void) => setTimeout(task, 1_000));
  idly(() => void load().catch(() => {})); // it is tried again when one is opened
}

function page<Props extends object>(choose: (pages: Pages) => ComponentType<Props>) {
  return lazy(() =>
    load().then(
      (pages) => ({ default: choose(pages) }),
      () => ({ default: NotLoaded as ComponentType<Props> }),
    ),
  );
}
