/** The hash of nothing: the terminal's library makes style elements first and has them filled later, by where no policy is asked (src/web/terminal/constructed-styles.ts). */
const EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";

/** This machine itself, which browsers count as secure. */
const LOCAL = ["http://localhost:*", "ws://localhost:*", "http://127.0.0.1:*", "ws://127.0.0.1:*"];

/**
 * With every answer that the app comes from. Scripts and styles come from files of ours alone, no page may frame this one, and what could make text into code (`innerHTML`, `eval`, a
 * script's address) is refused by the browser, but for the address of our own service worker (policy `warren`).
 *
 * The app of one origin speaks with hubs wherever they are, so `connect-src` names schemes and no hosts: to a page that came by https, https and this machine itself; to one that came by
 * http, which is on this machine itself or in a test, http as well. What keeps code out that could send something away is the rest of the policy.
 */
export function securityHeaders({ isTls }: { isTls: boolean }): Readonly<Record<string, string>> {
  const connect = isTls ? ["'self'", "https:", "wss:", ...LOCAL] : ["'self'", "https:", "wss:", "http:", "ws:"];
  return {
    "Content-Security-Policy": [
      "default-src 'none'",
      "script-src 'self'",
      `style-src 'self' ${EMPTY_STYLE}`,
      "img-src 'self' data:",
      "font-src 'self'",
      `connect-src ${connect.join(" ")}`,
      "manifest-src 'self'",
      "worker-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types warren",
    ].join("; "),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    // The camera is for pairing codes; the browser asks the person all the same.
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
  };
}
