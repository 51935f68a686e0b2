import { TOKENS } from "../pages/tokens.ts";

/** A phone's width first: a table becomes a list of cards there, each cell with its name before it. */
export const STYLE = `${TOKENS}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/22px system-ui, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1.25rem 1rem 4rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem; }
h1 { font-size: 1.4rem; line-height: 1.3; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { margin: 0 0 .5rem; overflow-wrap: anywhere; }
a { color: var(--accent); }
a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: .2rem; }
.soft { color: var(--soft); } .live { color: var(--live); } .attention { color: var(--attention); } .bad { color: var(--bad); } .quiet { color: var(--soft); }
.mono, pre { font-family: ui-monospace, monospace; font-size: .86rem; }
.stale main { opacity: .65; }
#notice:empty { display: none; }
#notice { margin: 1rem 0 0; padding: .6rem .8rem; border: 1px solid var(--attention); border-radius: .4rem; }
pre { margin: 0 0 .75rem; padding: .75rem .9rem; background: var(--card); border: 1px solid var(--line); border-radius: .4rem; overflow-x: auto; tab-size: 2; line-height: 1.5; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; font-size: .82rem; color: var(--soft); }
th, td { padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.short, th { white-space: nowrap; }
.lines th.line { width: 60%; }
.name a { display: inline-block; font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: .75rem 0 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 46rem) {
  .cards, .cards tbody, .cards tr, .cards td { display: block; }
  .cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .cards tr { padding: .6rem 0; border-bottom: 1px solid var(--line); }
  .cards td { display: flex; justify-content: space-between; gap: 1rem; border: 0; padding: .1rem 0; text-align: right; white-space: normal; }
  .cards td::before { content: attr(data-label); color: var(--soft); text-align: left; white-space: nowrap; }
  .cards td.name { justify-content: flex-start; align-items: center; min-height: 44px; text-align: left; font-size: 1.05rem; }
  .cards td.name a { padding: .6rem 0; }
  .cards td.name::before { content: none; }
  .cards td.none, .lines td.none { display: none; }
  .lines, .lines tbody { display: block; }
  .lines thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .lines tr { display: flex; flex-wrap: wrap; gap: 0 .9rem; padding: .45rem 0; border-bottom: 1px solid var(--line); }
  .lines td { border: 0; padding: 0; font-size: .86rem; text-align: left; }
  .lines td.line { order: -1; flex-basis: 100%; font-size: inherit; }
}`;
