import {
  createHash,
  createPrivateKey,
  createSign,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { isIPv4 } from "node:net";

/** Certificates for tests, made with node:crypto alone: X.509 (RFC 5280) in DER (X.690), with ECDSA on P-256. */
export interface TestCertificate {
  /** PEM; under an authority its own certificate alone. */
  cert: string;
  key: string;
}

export interface CertificateOptions {
  /** Names and IPv4 addresses; empty: no subjectAltName. */
  hosts: readonly string[];
  /** Days from now. */
  fromDays?: number;
  toDays?: number;
  /** Signs it; default: itself. */
  by?: TestCertificate;
  isAuthority?: boolean;
}

const DAY_MS = 86_400_000;

export function makeCertificate(options: CertificateOptions): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { by } = options;
  const signer = by === undefined ? privateKey : createPrivateKey(by.key);
  const body = toBeSigned(options, publicKey);
  const signature = createSign("sha256").update(body).sign(signer);
  const certificate = sequence(body, ECDSA_SHA256, bitString(signature));
  const text = certificate.toString("base64").replace(/.{1,64}/g, "$&\n");
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${text}-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}

/** TBSCertificate (RFC 5280 §4.1). All have a subject of their own but for its issuer, which is an authority of the fixed name. */
function toBeSigned(options: CertificateOptions, publicKey: KeyObject): Buffer {
  const { hosts, fromDays = -1, toDays = 30, by, isAuthority = false } = options;
  const isOwn = by === undefined;
  const subject = isAuthority ? AUTHORITY : name(`test ${randomBytes(4).toString("hex")}`);
  return sequence(
    tagged(0xa0, integer(Buffer.from([2]))), // version 3
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_SHA256,
    isOwn ? subject : AUTHORITY,
    sequence(time(fromDays), time(toDays)),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...extensions(hosts, isAuthority || isOwn))),
  );
}

function extensions(hosts: readonly string[], isAuthority: boolean): Buffer[] {
  const names = hosts.map((host) =>
    isIPv4(host) ? tagged(0x87, Buffer.from(host.split(".").map(Number))) : tagged(0x82, Buffer.from(host, "latin1")),
  );
  const basic = sequence(objectId("551d13"), TRUE, octets(sequence(...(isAuthority ? [TRUE] : []))));
  return names.length === 0 ? [basic] : [basic, sequence(objectId("551d11"), octets(sequence(...names)))];
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), content]);
}

const tagged = der;
const sequence = (...parts: Buffer[]): Buffer => der(0x30, Buffer.concat(parts));
const integer = (bytes: Buffer): Buffer => der(0x02, bytes);
const octets = (bytes: Buffer): Buffer => der(0x04, bytes);
const bitString = (bytes: Buffer): Buffer => der(0x03, Buffer.concat([Buffer.from([0]), bytes]));
const objectId = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"));
const TRUE = der(0x01, Buffer.from([0xff]));
/** GeneralizedTime (RFC 5280 §4.1.2.5.2), which is also used here before 2050: OpenSSL takes it. */
const time = (days: number): Buffer =>
  der(0x18, Buffer.from(`${new Date(Date.now() + days * DAY_MS).toISOString().replace(/[-:T]|\..*/g, "")}Z`));
/** A commonName alone. */
const name = (text: string): Buffer => sequence(der(0x31, sequence(objectId("550403"), der(0x0c, Buffer.from(text)))));
const ECDSA_SHA256 = sequence(objectId("2a8648ce3d040302"));
const AUTHORITY = name("test authority");

/** SHA-256 of a certificate, as `getPeerCertificate().fingerprint256` has it. */
export function fingerprint({ cert }: TestCertificate): string {
  const bytes = Buffer.from(cert.replace(/-----[^-]+-----|\s/g, ""), "base64");
  return createHash("sha256")
    .update(bytes)
    .digest("hex")
    .toUpperCase()
    .replace(/..(?=.)/g, "$&:");
}
