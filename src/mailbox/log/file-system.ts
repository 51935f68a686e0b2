import { statfsSync } from "node:fs";
import { networkFileSystem } from "./errors.ts";

/** statfs(2)'s f_type of file systems whose locks or shared memory another machine, or a program, has to keep (linux/magic.h). */
const NETWORK: ReadonlyMap<number, string> = new Map([
  [0x6969, "nfs"],
  [0x517b, "smb"],
  [0xff534d42, "cifs"],
  [0xfe534d42, "smb2"],
  [0x01021997, "9p"],
  [0x65735546, "fuse or virtiofs"],
  [0x73757245, "coda"],
  [0x5346414f, "afs"],
  [0x00c36400, "ceph"],
  [0x564c, "ncpfs"],
  [0x786f4256, "vboxsf"],
]);

/** @throws MAIL_NETWORK_FILE_SYSTEM */
export function refuseNetworkFileSystem(
  directory: string,
  typeOf: (directory: string) => number = typeOfFileSystem,
): void {
  const kind = NETWORK.get(typeOf(directory));
  if (kind !== undefined) throw networkFileSystem(directory, kind);
}

/** As an unsigned number: some systems give it with a sign. */
const typeOfFileSystem = (directory: string): number => statfsSync(directory).type >>> 0;
