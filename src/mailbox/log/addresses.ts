import { invalidName } from "./errors.ts";
import { MAIL_NAME_PATTERN } from "./names.ts";

/** Addresses on other machines: `name@machine`. Without a machine a name is of this one, always. */

/** As the first label of a host name, so that any machine's own name can be one. */
export const MACHINE_NAME_PATTERN = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

export interface RemoteAddress {
  name: string;
  machine: string;
}

/** Cheap: asked of every sender and recipient. A group's `@` stands first. */
export const isRemote = (address: string): boolean => address.indexOf("@") > 0;

/** @throws INVALID_NAME */
export function remoteAddress(address: string): RemoteAddress {
  const at = address.indexOf("@");
  const [name, machine] = [address.slice(0, at), address.slice(at + 1)];
  if (!MAIL_NAME_PATTERN.test(name) || !MACHINE_NAME_PATTERN.test(machine)) throw invalidName(address);
  return { name, machine };
}
