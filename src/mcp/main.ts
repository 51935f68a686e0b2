/** What the command line loads for `warren mcp`: the built file exports the one function and does nothing by itself. */
export { type McpContext, runMcp } from "./app.ts";
