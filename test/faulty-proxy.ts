import { once } from 'node:events';
import {
  createServer,
  request as ask,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** What may become of a request. `half-sent`: the server gets half of it; `half-answered`: the browser gets half of the answer. */
export const FAULTS = [
  'dropped',
  'answer-lost',
  'delayed',
  'answered-500',
  'half-sent',
  'half-answered',
] as const;
export type Fault = (typeof FAULTS)[number];

/** What a proxy does. */
export interface FaultyProxyOptions {
  /** Port of the server behind it, on this machine. */
  readonly upstream: number;
  /** What is done to a request; `place` counts them from 0. Undefined: it passes. */
  readonly faultOf: (request: IncomingMessage, place: number) => Fault | undefined;
  /** How long a delayed request waits, ms. */
  readonly delay: number;
}

/** An HTTP proxy that spoils requests. */
export class FaultyProxy {
  readonly #server: Server;
  readonly #options: FaultyProxyOptions;
  /** Requests that came. */
  seen = 0;
  /** Those of them that were spoilt. */
  spoilt = 0;

  constructor(options: FaultyProxyOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      void this.#pass(request, response).catch(() => response.destroy());
    });
  }

  /** @returns its port */
  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = this.#options.faultOf(request, this.seen++);
    // Browsers quietly repeat what broke on a connection that had been used before.
    response.setHeader('connection', 'close');
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk as Buffer);
    const sent = Buffer.concat(body);
    if (fault) this.spoilt++;
    switch (fault) {
      case 'dropped':
        request.socket.destroy();
        return;
      case 'answered-500':
        response.writeHead(500, { 'content-type': 'text/html' }).end('<html>SPECIMEN gateway</html>');
        return;
      case 'half-sent':
        await this.#half(request, sent);
        request.socket.destroy();
        return;
      case 'delayed':
        await new Promise((resolve) => setTimeout(resolve, this.#options.delay));
    }
    const answer = await this.#forward(request, sent);
    switch (fault) {
      case 'answer-lost':
        request.socket.destroy();
        return;
      case 'half-answered':
        response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length });
        response.write(answer.body.subarray(0, answer.body.length / 2), () => request.socket.destroy());
        return;
      default:
        response.writeHead(answer.status, answer.headers).end(answer.body);
    }
  }

  #target({ method, url, headers }: IncomingMessage) {
    // Each on a connection of its own, so that cutting one off is no other one's fault.
    return { port: this.#options.upstream, host: '127.0.0.1', method, path: url, headers, agent: false };
  }

  async #forward(incoming: IncomingMessage, sent: Buffer) {
    const outgoing = ask(this.#target(incoming)).end(sent);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    const body: Buffer[] = [];
    for await (const chunk of answer) body.push(chunk as Buffer);
    const { 'transfer-encoding': _, connection: _too, ...headers } = answer.headers;
    return { status: answer.statusCode ?? 0, headers, body: Buffer.concat(body) };
  }

  /** The server gets the headers, which promise the whole, and half of it. */
  async #half(incoming: IncomingMessage, sent: Buffer): Promise<void> {
    const outgoing = ask(this.#target(incoming));
    outgoing.on('error', () => undefined);
    await new Promise((resolve) => outgoing.write(sent.subarray(0, sent.length / 2), resolve));
    await new Promise((resolve) => setTimeout(resolve, 5));
    outgoing.destroy();
  }
}
