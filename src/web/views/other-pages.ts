/** One chunk of the build: the pages that are not seen at once (`pages.tsx` loads it). */
export { ConversationPage } from "./ConversationPage.tsx";
export { DevicesPage } from "./DevicesPage.tsx";
export { EndedPage } from "./EndedPage.tsx";
export { HubsPage } from "./HubsPage.tsx";
export { InboxPage } from "./InboxPage.tsx";
export { Keys } from "./Keys.tsx";
export { MailPage } from "./MailPage.tsx";
export { MorePage } from "./MorePage.tsx";
export { NewPage } from "./NewPage.tsx";
export { OutboxPage } from "./OutboxPage.tsx";
export { PairPage } from "./PairPage.tsx";
export { Palette } from "./Palette.tsx";
export { RowActions } from "./RowActions.tsx";
export { SettingsPage } from "./SettingsPage.tsx";
export { UnitPage } from "./UnitPage.tsx";
