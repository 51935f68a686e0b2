/**
 * The terminal's library writes its colours and sizes as style elements and style attributes, which the app's policy refuses (no inline styles). What it says is taken to where the policy
 * has nothing against it: a constructed sheet, and the style's own properties. Done once, before the first terminal, and only for the two kinds of element that it makes so.
 */
const DONE = Symbol.for("warren.constructed-styles");

export function constructStyles(view: Window & typeof globalThis): void {
  const prototype = view.HTMLStyleElement.prototype as HTMLStyleElement & { [DONE]?: boolean };
  if (prototype[DONE]) return;
  Object.defineProperty(prototype, DONE, { value: true });
  const sheets = new WeakMap<HTMLStyleElement, CSSStyleSheet>();
  const { document } = view;
  Object.defineProperty(prototype, "textContent", {
    configurable: true,
    set(this: HTMLStyleElement, text: string) {
      let sheet = sheets.get(this);
      if (!sheet) {
        sheet = new view.CSSStyleSheet();
        sheets.set(this, sheet);
        document.adoptedStyleSheets.push(sheet);
      }
      sheet.replaceSync(text);
    },
  });
  const remove = prototype.remove;
  prototype.remove = function removeWithSheet(this: HTMLStyleElement) {
    const sheet = sheets.get(this);
    if (sheet) document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    sheets.delete(this);
    remove.call(this);
  };
  const span = view.HTMLSpanElement.prototype;
  const setAttribute = span.setAttribute;
  span.setAttribute = function setWithoutInline(this: HTMLSpanElement, name: string, value: string) {
    if (name === "style") this.style.cssText = value;
    else setAttribute.call(this, name, value);
  };
}
