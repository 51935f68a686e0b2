// Prints the time, once a second, to show what `warren logs -f` follows.
const timer = setInterval(() => console.log(new Date().toISOString()), 1000);
process.on("SIGTERM", () => {
  console.error("stopped");
  clearInterval(timer);
});
