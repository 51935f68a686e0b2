import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { makeCertificate, type TestCertificate } from "../../../../test/harness/self-signed.ts";
import { silentLog } from "../../../platform/log.ts";
import { HandClock } from "../../../platform/testing/hand-clock.ts";
import type { FrontTable, FrontTls } from "../../../protocol/front-messages.ts";
import { DataPlane } from "../../proxy/data-plane.ts";
import type { ExchangeRecord } from "../../proxy/responder.ts";
import { within } from "../../proxy/testing/deadline.ts";
import { instanceOf, tableOf, workerOf, workerTarget } from "../../proxy/testing/test-front.ts";
import { Door } from "../door.ts";
import { withPlainRequests } from "../plain-requests.ts";

/** `tls: undefined` takes it away. */
type ChangedTable = Partial<Omit<FrontTable, "tls">> & { tls?: FrontTls | undefined };

/** Door and data plane behind a listener, before one worker, with certificates in a folder of its own. Time passes when it is told to. */
export class SecureFront implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), "warren-tls-"));
  readonly clock = new HandClock();
  readonly records: ExchangeRecord[] = [];
  readonly logged: string[] = [];
  readonly plane: DataPlane;
  readonly door: Door;
  readonly #listener: net.Server;
  #table: FrontTable;

  private constructor(workerPort: number) {
    const say = (event: string, fields?: object): void => void this.logged.push(`${event} ${JSON.stringify(fields)}`);
    const log = { ...silentLog, debug: say, info: say, error: say };
    this.#table = tableOf([workerOf([instanceOf(workerPort)])]);
    this.plane = new DataPlane({
      resolve: withPlainRequests({
        tls: () => this.#table.tls,
        hasName: (host) => this.door.hasName(host),
        resolve: workerTarget,
      }),
      tell: () => {},
      record: (record) => this.records.push({ ...record }),
      clock: this.clock,
    });
    this.door = new Door({
      accept: (socket, transport) => this.plane.accept(socket, transport),
      limits: () => this.plane.limits,
      clock: this.clock,
      log,
    });
    this.#listener = net.createServer({ noDelay: true }, (socket) => this.door.accept(socket));
  }

  /** `certificates`: by name; the files are `<name>.pem` and `<name>.key`. */
  static async start(
    workerPort: number,
    certificates: Record<string, TestCertificate> = { site: makeCertificate({ hosts: ["site.test"] }) },
    other: ChangedTable = {},
  ): Promise<SecureFront> {
    const front = new SecureFront(workerPort);
    for (const [name, certificate] of Object.entries(certificates)) front.write(name, certificate);
    front.tell({ tls: front.tlsOf(Object.keys(certificates)), ...other });
    await new Promise<void>((resolve) => front.#listener.listen(0, "127.0.0.1", resolve));
    return front;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  tell(changed: ChangedTable): void {
    const { tls, ...rest } = { ...this.#table, ...changed };
    this.#table = { ...rest, ...(tls !== undefined && { tls }), revision: rest.revision + 1 };
    this.door.apply(this.#table.tls);
    this.plane.table(this.#table);
  }

  tlsOf(names: readonly string[], plain: FrontTls["plain"] = "redirect"): FrontTls {
    return {
      plain,
      certificates: names.map((name) => ({ cert: this.path(`${name}.pem`), key: this.path(`${name}.key`) })),
    };
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  write(name: string, { cert, key }: TestCertificate): void {
    this.replace(`${name}.pem`, cert);
    this.replace(`${name}.key`, key);
  }

  replace(name: string, text: string): void {
    writeFileSync(this.path(`${name}~`), text);
    renameSync(this.path(`${name}~`), this.path(name));
  }

  /** A connection of TLS, and whose certificate it was shown. */
  async connect(options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
    const socket = tls.connect({
      ...{ host: "127.0.0.1", port: this.port, rejectUnauthorized: false, ALPNProtocols: ["h2", "http/1.1"] },
      ...{ servername: "site.test", ...options },
    });
    await within(
      "a handshake",
      new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject)),
    );
    socket.on("error", () => {});
    return socket;
  }

  async fingerprint(servername: string): Promise<string> {
    const socket = await this.connect({ servername });
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.door.close();
    this.plane.destroy();
    await new Promise((resolve) => this.#listener.close(resolve));
    rmSync(this.dir, { recursive: true });
  }
}

/** All that a socket is sent until `isEnough`, or until it ends. */
export function textOf(socket: net.Socket, isEnough: (text: string) => boolean): Promise<string> {
  let text = "";
  return within(
    "an answer",
    new Promise((resolve) => {
      const look = (chunk?: Buffer): void => {
        text += chunk?.toString("latin1") ?? "";
        if (chunk !== undefined && !isEnough(text)) return;
        socket.off("data", look);
        resolve(text);
      };
      socket.on("data", look);
      socket.once("end", () => look());
      socket.once("close", () => look());
    }),
  );
}
