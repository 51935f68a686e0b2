/** The colours of every page that is ours: the same words as everywhere in Warren, each at least 4.5:1 on its ground, light or dark as the system is. */
export const TOKENS = `
:root { color-scheme: light dark; --ink: #1a1b26; --soft: #5b6178; --paper: #fbfbfd; --card: #ffffff; --line: #d8dae5;
  --live: #2f5fd0; --attention: #8f5e00; --good: #3f7d20; --bad: #b3203f; --accent: #6b3fb8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e6f1; --soft: #8a90a8; --paper: #16161e; --card: #1d1e2a; --line: #34374a;
    --live: #7aa2f7; --attention: #e0af68; --good: #9ece6a; --bad: #f7768e; --accent: #bb9af7; }
}`;
