import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP relay on this machine that leads each connection to one of several servers. */
export type Balancer = {
  readonly port: number;
  /** The number of connections that each server has had. */
  readonly counts: () => readonly number[];
  /** Leads new connections to this server only, from now on. */
  readonly pin: (server: number) => void;
  readonly close: () => Promise<void>;
};

export type BalancerOptions = {
  /**
   * How the relay chooses a server: each in turn (the default), or the one with the fewest
   * connections.
   */
  readonly by?: 'turns' | 'fewest';
  /** The relay numbers connections itself and intercepts KILL, as ProxySQL and MaxScale do. */
  readonly ownNumbers?: boolean;
};

const FIRST_OWN_NUMBER = 4_000_000;
/** The byte of a query command, after the packet's header of four bytes. */
const COM_QUERY = 3;
const OK_PACKET = Buffer.from([7, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);

export async function startBalancer(
  ports: readonly number[],
  { by = 'turns', ownNumbers = false }: BalancerOptions = {},
): Promise<Balancer> {
  const counts = ports.map(() => 0);
  const open = ports.map(() => 0);
  const sockets = new Set<Socket>();
  let turn = 0;
  let pinned: number | undefined;

  const next = (): number => {
    if (pinned !== undefined) return pinned;
    if (by === 'fewest') return open.indexOf(Math.min(...open));
    turn += 1;
    return (turn - 1) % ports.length;
  };
  const server = createServer((client) => {
    const index = next();
    const port = ports[index];
    if (port === undefined) throw new Error(`there is no server ${index}`);
    counts[index] = (counts[index] ?? 0) + 1;
    open[index] = (open[index] ?? 0) + 1;
    const number = FIRST_OWN_NUMBER + counts.reduce((sum, count) => sum + count, 0);
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    }
    let greeted = !ownNumbers;
    upstream.on('data', (bytes) => {
      if (!greeted) renumber(bytes, number);
      greeted = true;
      client.write(bytes);
    });
    client.on('data', (bytes) => {
      if (ownNumbers && isKill(bytes)) client.write(OK_PACKET);
      else upstream.write(bytes);
    });
    client.on('end', () => upstream.end()).on('close', () => upstream.destroy());
    upstream.on('close', () => {
      open[index] = (open[index] ?? 0) - 1;
      client.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    counts: () => [...counts],
    pin: (index) => {
      pinned = index;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function isKill(packet: Buffer): boolean {
  return packet[4] === COM_QUERY && /KILL \d+$/.test(packet.toString('latin1'));
}

/**
 * Offset of the connection's number in the server's greeting. The header, the protocol's version
 * and the server's version, which ends with a NUL, come first.
 */
function renumber(greeting: Buffer, number: number): void {
  greeting.writeUInt32LE(number, greeting.indexOf(0, 5) + 1);
}
