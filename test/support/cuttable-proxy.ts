import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A TCP relay to a server on this machine. Its connections break silently, as those through a NAT
 * gateway do.
 */
export type CuttableProxy = {
  readonly port: number;
  /** Resets the clients' connections; the server gets no notice. */
  readonly cutClients: () => void;
  /** Stops passing data without closing connections, as a server out of reach does. */
  readonly stall: () => void;
  /**
   * Stops passing data on the open connections, without closing them, as a gateway does with idle
   * ones. New connections work.
   */
  readonly forget: () => void;
  /** As it was before `stall`; what was not passed on meanwhile is lost. */
  readonly unstall: () => void;
  /** New connections are refused from now on. */
  readonly refuse: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** The relay awaits `before` with a client's data before it passes the data to the server. */
export async function startCuttableProxy(
  port: number,
  before: (bytes: Buffer) => Promise<void> = async () => {},
): Promise<CuttableProxy> {
  const clients = new Set<Socket>();
  const upstreams = new Set<Socket>();
  const forgotten = new WeakSet<Socket>();
  let stalled = false;
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    clients.add(client);
    upstreams.add(upstream);
    const isSilent = () => stalled || forgotten.has(client);
    let passed = Promise.resolve();
    const pass = async (bytes: Buffer) => {
      await before(bytes);
      if (!isSilent()) upstream.write(bytes);
    };
    client
      .on('error', () => undefined)
      .on('data', (bytes) => {
        passed = passed.then(() => pass(bytes)).catch(() => void client.destroy());
      });
    client.on('end', () => {
      passed = passed.then(() => void (isSilent() || upstream.end()));
    });
    upstream
      .on('error', () => undefined)
      .on('data', (bytes) => void (isSilent() || client.write(bytes)));
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const refuse = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const client of clients) client.resetAndDestroy();
    await closed;
  };
  return {
    port: (server.address() as AddressInfo).port,
    cutClients: () => {
      for (const client of clients) client.resetAndDestroy();
      clients.clear();
    },
    stall: () => {
      stalled = true;
    },
    unstall: () => {
      stalled = false;
    },
    forget: () => {
      for (const client of clients) forgotten.add(client);
    },
    refuse,
    close: async () => {
      await refuse();
      for (const upstream of upstreams) upstream.destroy();
    },
  };
}
