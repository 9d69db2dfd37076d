/** Owns forwarding SSH agents to RUN steps: only what lists keys and signs with them passes. */
import type {Duplex} from 'node:stream';
import {TiltbuildError} from '../../errors.ts';
import {reasonOf} from '../../system-error.ts';
import {BytesMessage} from '../../wire/grpc/byte-stream.ts';
import {type Route, streaming, unary} from '../../wire/grpc/server.ts';
import {GrpcCode, GrpcError} from '../../wire/grpc/status.ts';
import {field, message, string} from '../../wire/protobuf/message.ts';
import {readSshMessages, SshMessage, sshMessage} from './ssh-messages.ts';

const ALLOWED: ReadonlySet<number | undefined> = new Set([
  SshMessage.REQUEST_IDENTITIES,
  SshMessage.SIGN_REQUEST,
]);

const Empty = message({});
const CheckRequest = message({id: field(1, string)});

/** `connect` opens a connection to the agent of an id; undefined where there is none. */
export function serveAgents(
  ids: ReadonlySet<string>,
  connect: (id: string) => Promise<Duplex>,
): readonly Route[] {
  return [
    unary({path: '/moby.sshforward.v1.SSH/CheckAgent', request: CheckRequest, response: Empty}, ({id}) => {
      demand(id, ids);
      return {};
    }),
    streaming(
      {path: '/moby.sshforward.v1.SSH/ForwardAgent', request: BytesMessage, response: BytesMessage},
      async function* (requests, {metadata, signal}) {
        const id = demand(metadata.find(([name]) => name === 'buildkit.ssh.id')?.[1] ?? '', ids);
        const agent = await connectTo(id, connect);
        // Whoever asks it next meets the error.
        agent.on('error', () => undefined);
        signal.addEventListener('abort', () => agent.destroy(), {once: true});
        try {
          for await (const question of readSshMessages(bytesOf(requests))) {
            if (!ALLOWED.has(question[4])) yield {data: sshMessage(SshMessage.FAILURE)};
            else yield {data: await ask(agent, question)};
          }
        } finally {
          agent.destroy();
        }
      },
    ),
  ];
}

async function connectTo(id: string, connect: (id: string) => Promise<Duplex>): Promise<Duplex> {
  try {
    return await connect(id);
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    const why = REASONS.get((cause as NodeJS.ErrnoException).code) ?? reasonOf(cause);
    throw new TiltbuildError('usage', `Could not connect to the SSH agent of --ssh ${id}: ${why}.`, {
      remedy: ['Check that the agent runs and that SSH_AUTH_SOCK is its socket.'],
      cause,
    });
  }
}

/** Of a socket. */
const REASONS = new Map<string | undefined, string>([
  ['ENOENT', 'its socket does not exist'],
  ['ECONNREFUSED', 'nothing listens on its socket'],
]);

function demand(given: string, ids: ReadonlySet<string>): string {
  const id = given || 'default';
  if (ids.has(id)) return id;
  throw new GrpcError(GrpcCode.NOT_FOUND, `unset ssh forward key ${id}`);
}

async function* bytesOf(messages: AsyncIterable<{readonly data: Uint8Array}>): AsyncGenerator<Uint8Array> {
  for await (const {data} of messages) yield data;
}

/** One question at a time has one answer. */
async function ask(agent: Duplex, question: Buffer): Promise<Buffer> {
  agent.write(question);
  for await (const answer of readSshMessages(agent.iterator({destroyOnReturn: false}))) return answer;
  throw new GrpcError(GrpcCode.UNAVAILABLE, 'the SSH agent closed the connection');
}
