/** Owns a TCP proxy that stops forwarding, as a link does whose other end has gone to sleep: nobody is told. */
import {once} from 'node:events';
import {type AddressInfo, connect, createServer, type Socket} from 'node:net';

export interface StallingProxy {
  /** The URL with the proxy's address in place of its own. */
  readonly through: (url: string) => string;
  /** Forwards nothing any more on the connections that there are. The server sees their end. */
  readonly stall: () => void;
  readonly close: () => void;
}

export async function startStallingProxy(url: string): Promise<StallingProxy> {
  const {port, hostname} = new URL(url);
  const links = new Set<{readonly near: Socket; readonly far: Socket}>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    const link = {near, far};
    links.add(link);
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.on('close', () => links.delete(link) && far.destroy());
    near.pipe(far);
    far.pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    through: (other) => other.replace(`:${port}`, `:${(server.address() as AddressInfo).port}`),
    stall: () => {
      for (const {near, far} of links) {
        far.unpipe(near);
        far.destroy();
      }
    },
    close: () => {
      server.close();
      for (const {near} of links) near.destroy();
    },
  };
}
