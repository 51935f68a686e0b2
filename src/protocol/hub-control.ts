/**
 * What a hub's owner asks it, on its unix socket: one JSON line each way for each connection. The socket is the owner's alone, and lets in whoever can open it.
 */
export interface HubCalls {
  status: { request: Record<never, never>; answer: HubStatus };
  /** `for`: a few words for the list of members. */
  invite: { request: { for?: string }; answer: HubInvitation };
  members: { request: Record<never, never>; answer: { members: HubMember[] } };
  remove: { request: { id: string }; answer: { removed: HubMember } };
}

export type HubCall = keyof HubCalls;

export interface HubAddress {
  url: string;
  /** A phone's browser runs the app from there. */
  for_phones: boolean;
  /** Why not, and what to do; or what to know. */
  note?: string;
}

export interface HubStatus {
  pid: number;
  version: string;
  label: string;
  /** 8 groups of 4 hex digits. */
  fingerprint: string;
  /** The hub's key, hex. */
  key: string;
  started_at: string;
  is_open: boolean;
  port: number;
  addresses: HubAddress[];
  connections: { machines: number; devices: number; guests: number; strangers: number };
  channels: number;
  rendezvous: number;
  relayed_frames: number;
  relayed_bytes: number;
  /** Of channels, waiting for slow readers. */
  held_bytes: number;
  machines: number;
  devices: number;
  invitations: number;
  records: number;
  record_bytes: number;
  /** How often what was refused, by code. */
  refusals: Record<string, number>;
}

export interface HubInvitation {
  /** Typed or pasted once; nobody can show it again. */
  invitation: string;
  expires_at: string;
  /** Where the machine can go with it. */
  address: string;
}

export interface HubMember {
  id: string;
  kind: "machine" | "device";
  /** Of a device: the machine that admitted it. */
  machine?: string;
  /** What its invitation was for. */
  label?: string;
  is_connected: boolean;
  admitted_at: string;
  last_seen?: string;
  /** Of a machine: what waits in its space. */
  records?: number;
  bytes?: number;
}
