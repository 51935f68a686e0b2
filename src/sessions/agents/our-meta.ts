import { asFields, asText, type Fields } from "./json-rpc.ts";

/**
 * What Warren adds to a message for its own later reading: in ACP's `_meta`, under `warren`. The agent ignores it; the journal keeps it, so the next
 * server knows who said or answered what.
 */
export interface OurMeta {
  /** The client's id of its request: the same one again is a repeat. */
  request_id?: string;
  by?: string;
}

export function withOurMeta(fields: Fields, { request_id, by }: OurMeta): Fields {
  const warren = { ...(request_id === undefined ? {} : { request_id }), ...(by === undefined ? {} : { by }) };
  return Object.keys(warren).length === 0 ? fields : { ...fields, _meta: { warren } };
}

export function ourMeta(fields: Fields): OurMeta {
  const meta = asFields(asFields(fields._meta)?.warren) ?? {};
  const [requestId, by] = [asText(meta.request_id), asText(meta.by)];
  return { ...(requestId === undefined ? {} : { request_id: requestId }), ...(by === undefined ? {} : { by }) };
}
