import { type Fields, idKey, type RpcId } from "./json-rpc.ts";

/** A request that the agent made and that nobody has answered. */
export interface AgentRequest {
  id: RpcId;
  method: string;
  params: Fields;
  /** The how-manieth of the agent's requests it is: names its answer, since an id may be used again after it was answered. */
  ordinal: number;
  /** The agent took it back ($/cancel_request). */
  withdrawn: boolean;
  /** Of session/request_permission: the question's item. */
  itemId?: string;
}

/** A request of ours that the agent has not answered. `about`: what its answer is understood by. */
export interface OwnRequest {
  id: RpcId;
  method: string;
  about: Fields;
}

export interface OpenRequestsState {
  agent: AgentRequest[];
  own: OwnRequest[];
  ordinal: number;
  nextId: number;
}

/** The JSON-RPC requests that are open, in both directions, as the journal tells them. */
export class OpenRequests {
  readonly #agent = new Map<string, AgentRequest>();
  readonly #own = new Map<string, OwnRequest>();
  #ordinal = 0;
  #nextId = 0;

  /** The first id that no request of ours has had. */
  get nextId(): number {
    return this.#nextId;
  }

  get ofAgent(): AgentRequest[] {
    return [...this.#agent.values()];
  }

  get own(): OwnRequest[] {
    return [...this.#own.values()];
  }

  /** Undefined when a request with this id is open already. */
  openAgent(id: RpcId, method: string, params: Fields): AgentRequest | undefined {
    const key = idKey(id);
    if (this.#agent.has(key)) return undefined;
    const request: AgentRequest = { id, method, params, ordinal: ++this.#ordinal, withdrawn: false };
    this.#agent.set(key, request);
    return request;
  }

  closeAgent(id: RpcId): AgentRequest | undefined {
    return take(this.#agent, idKey(id));
  }

  withdrawAgent(id: RpcId): void {
    const request = this.#agent.get(idKey(id));
    if (request) this.#agent.set(idKey(id), { ...request, withdrawn: true });
  }

  openOwn(request: OwnRequest): void {
    this.#own.set(idKey(request.id), request);
    if (typeof request.id === "number") this.#nextId = Math.max(this.#nextId, request.id + 1);
  }

  closeOwn(id: RpcId): OwnRequest | undefined {
    return take(this.#own, idKey(id));
  }

  /** The other side is gone: nothing will be answered. */
  clear(): void {
    this.#agent.clear();
    this.#own.clear();
  }

  snapshot(): OpenRequestsState {
    return { agent: this.ofAgent, own: this.own, ordinal: this.#ordinal, nextId: this.#nextId };
  }

  restore({ agent, own, ordinal, nextId }: OpenRequestsState): void {
    for (const request of agent) this.#agent.set(idKey(request.id), request);
    for (const request of own) this.#own.set(idKey(request.id), request);
    this.#ordinal = ordinal;
    this.#nextId = nextId;
  }
}

function take<T>(map: Map<string, T>, key: string): T | undefined {
  const value = map.get(key);
  map.delete(key);
  return value;
}
