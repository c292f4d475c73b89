import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A TCP relay to a server on this machine. While it holds, it keeps the answers back; clients get
 * them later.
 */
export type HeldRelay = {
  readonly port: number;
  readonly hold: () => void;
  readonly release: () => void;
  readonly close: () => Promise<void>;
};

export async function startHeldRelay(host: string, port: number): Promise<HeldRelay> {
  const sockets = new Set<Socket>();
  const upstreams = new Set<Socket>();
  let held = false;
  const server = createServer((client) => {
    const upstream = connect(port, host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    upstreams.add(upstream);
    upstream.on('close', () => upstreams.delete(upstream));
    client.pipe(upstream);
    upstream.on('data', (bytes) => void client.write(bytes));
    upstream.on('end', () => client.end());
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
    if (held) upstream.pause();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    hold: () => {
      held = true;
      for (const upstream of upstreams) upstream.pause();
    },
    release: () => {
      held = false;
      for (const upstream of upstreams) upstream.resume();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
