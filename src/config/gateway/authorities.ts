import { readFile } from "node:fs/promises";
import { systemCode } from "../../protocol/errors.ts";
import type { Source } from "./config-source.ts";

/** `ca` of a `url` worker. Looked at by its beginning: whom it certifies is seen when a connection is made. */
export async function checkAuthorities(path: string, source: Source): Promise<void> {
  try {
    const text = await readFile(path, "latin1");
    if (!text.includes("-----BEGIN CERTIFICATE-----")) source.report("ca", `${path} holds no PEM certificate`);
  } catch (error) {
    const code = systemCode(error);
    source.report("ca", `${path} ${code === "ENOENT" ? "does not exist" : `cannot be read: ${code}`}`);
  }
}
