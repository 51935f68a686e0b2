/** Documented in Node 26.7, not yet in @types/node: a BoundSocket may be bound to a unix socket's path. */
declare module "node:net" {
  interface BoundSocketOptions {
    path?: string;
  }
}
export {};
