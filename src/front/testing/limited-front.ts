import net, { type AddressInfo } from "node:net";
import { systemClock } from "../../platform/clock.ts";
import { silentLog } from "../../platform/log.ts";
import { Admission } from "../admission.ts";
import { DataPlane } from "../proxy/data-plane.ts";
import { Door } from "../tls/door.ts";

/** A front that answers by itself, as a process of its own, so that it can be short of descriptors. Says its port; `--unlimited` takes whatever comes. */
const plane = new DataPlane({
  resolve: () => ({ kind: "answer", answer: { status: 200, headers: [], body: "here" } }),
  tell: () => {},
});
const door = new Door({
  accept: (socket, transport) => plane.accept(socket, transport),
  limits: () => plane.limits,
  clock: systemClock,
  log: silentLog,
});
const isUnlimited = process.argv.includes("--unlimited");
const admission = new Admission({
  ...{ door, plane, clock: systemClock, log: silentLog },
  ...(isUnlimited && { descriptorsMax: 1e6 }),
});
const listener = net.createServer((socket) => admission.accept(socket));
listener.on("error", (error) => console.log(`error ${error.message}`));
listener.listen(0, "127.0.0.1", () => {
  const { user, system } = process.cpuUsage();
  console.log(`port ${(listener.address() as AddressInfo).port} most ${admission.most} cpu ${user + system}`);
});
process.on("SIGUSR2", () => {
  const { user, system } = process.cpuUsage();
  console.log(`connections ${plane.connectionCount} cpu ${user + system}`);
});
process.stdin.resume().on("end", () => process.exit(0));
