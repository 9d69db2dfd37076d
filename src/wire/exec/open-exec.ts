/** Owns asking the API server to run a program in a container, over a WebSocket (RFC 6455, section 4). */
import {createHash, randomBytes} from 'node:crypto';
import type {Duplex} from 'node:stream';
import type {ExecTarget, Tunnel} from '../../cluster/ports.ts';
import {ExecStream} from './exec-stream.ts';

/** A connection to the API server that is no longer HTTP. */
export interface Upgraded {
  readonly socket: Duplex;
  /** The first bytes of what it is now. */
  readonly head: Buffer;
  /** Of the answer; their names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** Sends a GET with these headers, and resolves where the answer is a 101; else it rejects, with what the answer was. */
export type OpenUpgrade = (path: string, headers: Readonly<Record<string, string>>) => Promise<Upgraded>;

/** The newer one can close a standard input. */
const CLOSES_STDIN = 'v5.channel.k8s.io';
const PROTOCOLS = [CLOSES_STDIN, 'v4.channel.k8s.io'];
const ACCEPT_SALT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export async function openExec(open: OpenUpgrade, target: ExecTarget): Promise<Tunnel> {
  const key = randomBytes(16).toString('base64');
  const {socket, head, headers} = await open(execPath(target), {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': key,
    'Sec-WebSocket-Protocol': PROTOCOLS.join(', '),
  });
  const protocol = headers['sec-websocket-protocol'] ?? '';
  const accept = createHash('sha1')
    .update(key + ACCEPT_SALT)
    .digest('base64');
  const isWebSocket =
    headers.upgrade?.toLowerCase() === 'websocket' && headers['sec-websocket-accept'] === accept;
  if (!isWebSocket || !PROTOCOLS.includes(protocol)) {
    socket.destroy();
    throw new Error(`the server speaks no protocol that we know for running programs: ${protocol || 'none'}`);
  }
  const stream = new ExecStream(socket, head, protocol === CLOSES_STDIN);
  return {stream, ended: stream.ended};
}

export function execPath({namespace, pod, container, command}: ExecTarget): string {
  const query = new URLSearchParams([
    ['container', container],
    ...['stdin', 'stdout', 'stderr'].map((stream) => [stream, 'true']),
    ...command.map((word) => ['command', word]),
  ]);
  const names = [namespace, pod].map(encodeURIComponent);
  return `/api/v1/namespaces/${names[0]}/pods/${names[1]}/exec?${query}`;
}
