import { randomBytes } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";

/** As `writeFileAtomic`, but not synchronously: for texts of megabytes, for many files at once, and where somebody is being served meanwhile. */
export async function replaceFile(path: string, text: string, mode = 0o600): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, "wx", mode);
    await file.writeFile(text);
    await file.datasync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file?.close().catch(() => {});
    await rm(temporary, { force: true });
    throw error;
  }
}
