// The page that is worked on. The demo works on a copy, so that a checkout stays as it is.
import { copyFileSync, existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const template = fileURLToPath(new URL("page.template.html", import.meta.url));
const page = fileURLToPath(new URL("page.html", import.meta.url));

/** The copy where there is one. */
export const pathOfPage = () => (existsSync(page) ? page : template);

/** Makes the copy, or begins it anew. */
export const resetPage = () => copyFileSync(template, page);
