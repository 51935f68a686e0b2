const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * For text between tags and for quoted attributes. Control characters, which compilers colour their output with and which HTML does not have, are left out
 * with the sequences that they begin.
 */
export const escapeHtml = (text: string): string =>
  withoutControls(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!);

/** Without terminal sequences (ECMA-48 §5.4: CSI; OSC) and control characters; line breaks and tabs stay. */
export const withoutControls = (text: string): string =>
  text
    .replace(/\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?/g, "")
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "");
