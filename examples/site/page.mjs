// The page that is worked on: a copy, so that a checkout stays as it is.
import { copyFileSync, existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const template = fileURLToPath(new URL("page.template.html", import.meta.url));
const page = fileURLToPath(new URL("page.html", import.meta.url));

/** Its path; made when it is not there. */
export function pathOfPage() {
  if (!existsSync(page)) copyFileSync(template, page);
  return page;
}

export const resetPage = () => copyFileSync(template, page);
