import { WarrenError } from "../protocol/errors.ts";
import { quoteWord } from "../protocol/quote-word.ts";

/** What the machine's side refuses, in words for the person at its terminal. None names a key or a secret. */

export const keyFileBad = (path: string, why: string): WarrenError =>
  new WarrenError("MACHINE_KEY_BAD", `The machine's key ${path} cannot be used: ${why}.`, {
    fix: `put it back from a backup, or: mv ${quoteWord(path)} ${quoteWord(`${path}.bad`)}      # devices pair anew`,
  });

export const keyFileOpen = (path: string, mode: number): WarrenError =>
  new WarrenError("MACHINE_KEY_OPEN", `The machine's key ${path} may be read by others (mode ${mode.toString(8)}).`, {
    fix: `chmod 600 ${quoteWord(path)}      # and pair anew, if somebody may have read it`,
  });

export const rosterBad = (path: string, why: string): WarrenError =>
  new WarrenError("ROSTER_BAD", `The list of devices ${path} cannot be used: ${why}.`, {
    fix: `put it back from a backup, or: mv ${quoteWord(path)} ${quoteWord(`${path}.bad`)}      # devices pair anew`,
  });

export const addressBad = (address: string, why: string): WarrenError =>
  new WarrenError("HUB_ADDRESS_BAD", `${JSON.stringify(address)} is no hub's address: ${why}.`, {
    fix: "warren pair --hub https://home.example",
  });

export const hubOther = (address: string, wanted: string, found: string): WarrenError =>
  new WarrenError(
    "HUB_KEY_OTHER",
    `The hub at ${address} has the fingerprint ${found}, and ${wanted} was expected. Nothing was sent to it.`,
    { fix: "warren hub status      # on the hub: shows its fingerprint" },
  );

export const hubAway = (label: string, why: string): WarrenError =>
  new WarrenError("HUB_AWAY", `The hub ${label} is not connected: ${why}`, { fix: "warren hubs" });

export const hubNotFound = (name: string, known: readonly string[]): WarrenError =>
  new WarrenError("HUB_NOT_FOUND", `hub not found: ${name}`, {
    fix: known.length === 0 ? "warren pair --hub https://home.example" : "warren hubs",
    detail: { candidates: known },
  });

export const hubAmbiguous = (name: string): WarrenError =>
  new WarrenError("HUB_AMBIGUOUS", `Several hubs are called ${name}.`, {
    fix: "warren hubs      # use the fingerprint",
  });

export const labelTaken = (label: string): WarrenError =>
  new WarrenError("NAME_TAKEN", `Another one is called ${label} already.`, { fix: "choose another name" });

export const nameBad = (name: string): WarrenError =>
  new WarrenError("NAME_INVALID", `${JSON.stringify(name)} cannot be a name: 1 to 60 characters that can be printed.`, {
    fix: "warren devices rename OLD NEW",
  });

const deviceMeant = (near: string | undefined, known: readonly string[]): string =>
  known.length === 0 ? ". No device is paired" : near ? `. Did you mean ${near}?` : "";

export const deviceNotFound = (name: string, near: string | undefined, known: readonly string[]): WarrenError =>
  new WarrenError("DEVICE_NOT_FOUND", `device not found: ${name}${deviceMeant(near, known)}`, {
    fix: known.length === 0 ? "warren pair" : "warren devices",
    detail: { candidates: known },
  });

export const devicesFull = (limit: number): WarrenError =>
  new WarrenError("DEVICES_FULL", `This machine has its ${limit} devices already.`, {
    fix: "warren devices revoke NAME",
  });

export const deviceKeyTaken = (name: string): WarrenError =>
  new WarrenError("DEVICE_KEY_TAKEN", `Its key is the one of ${name}, under another signature.`, {
    fix: `warren devices revoke ${quoteWord(name)}`,
  });

export const pairingNotFound = (): WarrenError =>
  new WarrenError("PAIRING_OVER", "This pairing is over.", { fix: "warren pair" });

export const pairingNotReady = (): WarrenError =>
  new WarrenError("PAIRING_WAITS", "Nobody has used this code yet, so there is nobody to let in.", {
    fix: "scan the code first",
  });

export const pairingLeft = (): WarrenError =>
  new WarrenError("PAIRING_LEFT", "The device went away before it was let in. Nothing was kept.", {
    fix: "warren pair",
  });

export const targetGone = (): WarrenError =>
  new WarrenError("TARGET_GONE", "The server ended the connection before it had answered.", { fix: "connect again" });

export const targetOld = (server: string): WarrenError =>
  new WarrenError(
    "SERVER_CANNOT_LIMIT",
    `The server ${server} runs older code, which cannot keep a device to what it may do. It was not asked anything.`,
    { fix: `warren reload ${server}` },
  );

export const streamsFull = (limit: number): WarrenError =>
  new WarrenError("STREAMS_FULL", `This device has ${limit} things of that machine open already.`, {
    fix: "close one of them",
  });
