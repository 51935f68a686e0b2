import { createContext, type ReactNode, useContext, useLayoutEffect, useSyncExternalStore } from "react";
import type { SettingName, SettingValues } from "../model/settings.ts";
import type { SettingsStore } from "../store/settings-store.ts";

/** The settings around all views, and what they change of the page itself. */
const SettingsContext = createContext<SettingsStore | undefined>(undefined);

export function SettingsScope({ settings, children }: { settings: SettingsStore; children: ReactNode }): ReactNode {
  return (
    <SettingsContext value={settings}>
      <Appearance />
      {children}
    </SettingsContext>
  );
}

export function useSettings(): SettingValues {
  const settings = useSettingsStore();
  return useSyncExternalStore(settings.subscribe, settings.get);
}

export const useSetSetting = (): (<N extends SettingName>(name: N, value: SettingValues[N]) => void) =>
  useSettingsStore().set;

function useSettingsStore(): SettingsStore {
  const settings = useContext(SettingsContext);
  if (!settings) throw new Error("no settings around this view");
  return settings;
}

/** `style/pages.css` takes it from there. */
function Appearance(): ReactNode {
  const { appearance } = useSettings();
  // Before anything is drawn: nobody is to see a flash of the other colours.
  useLayoutEffect(() => {
    document.documentElement.dataset.appearance = appearance;
  }, [appearance]);
  return null;
}
