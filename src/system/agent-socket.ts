/** Owns connecting to an SSH agent: its Unix socket, or its named pipe on Windows. */
import {connect} from 'node:net';
import type {Duplex} from 'node:stream';

/** Rejects with the system's error. */
export function connectAgent(path: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({path});
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
