/** What the command line loads for `warren tui`: the built file exports the one function and does nothing by itself. */
export { runTui, type TuiContext } from "./app.ts";
