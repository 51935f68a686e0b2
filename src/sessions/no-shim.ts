/** What the keeper holds has no shim: the keeper is the parent, and writes down the end itself. */
export const NO_SHIM = { bootId: "", pid: 0, startTicks: 0 };
