/** Owns gRPC calls as the stand-in of buildkitd makes and answers them, on Node's own HTTP/2. */
import type {ClientHttp2Session, Http2Stream, ServerHttp2Stream} from 'node:http2';
import {Duplex} from 'node:stream';
import {Packet, PacketType} from '../../src/buildkit/session/packets.ts';
import {BytesMessage} from '../../src/wire/grpc/byte-stream.ts';
import type {Method} from '../../src/wire/grpc/messages.ts';
import {GrpcCode, GrpcError, writeStatus} from '../../src/wire/grpc/status.ts';

export const SYNC = '/moby.filesync.v1.FileSync/DiffCopy';

/** Asks a session for a Dockerfile, as for any file. */
export async function readDockerfile(client: ClientHttp2Session, name: string): Promise<string> {
  const call = client.request({
    ':method': 'POST',
    ':path': SYNC,
    'content-type': 'application/grpc',
    te: 'trailers',
    'dir-name': 'dockerfile',
    followpaths: encodeURIComponent(name),
    'followpaths-encoded': '1',
  });
  const send = (packet: Parameters<typeof Packet.encode>[0]) => call.write(frame(Packet.encode(packet)));
  const paths: string[] = [];
  let text = '';
  for await (const bytes of readFrames(call)) {
    const {type, stat, data} = Packet.decode(bytes);
    if (type === PacketType.STAT && stat !== undefined) paths.push(stat.path);
    else if (type === PacketType.STAT) send({type: PacketType.REQUEST, id: paths.indexOf(name)});
    else if (type === PacketType.DATA && data.length > 0) text += Buffer.from(data).toString();
    else if (type === PacketType.DATA) send({type: PacketType.FINISH});
    else call.end();
  }
  return text;
}

/** Sends an archive back, as the exporters that make one do. */
export async function sendArchive(client: ClientHttp2Session, content: Uint8Array): Promise<void> {
  const call = client.request({
    ':method': 'POST',
    ':path': '/moby.filesync.v1.FileSend/DiffCopy',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  call.end(frame(BytesMessage.encode({data: content})));
  for await (const _ of readFrames(call));
}

/** Makes a call with these messages, and gives the answers. Throws where it does not end well. */
export async function exchange<In, Out>(
  client: ClientHttp2Session,
  {path, request, response}: Method<unknown, In, Out, never>,
  metadata: Readonly<Record<string, string>>,
  messages: readonly In[],
): Promise<readonly Out[]> {
  const fixed = {':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers'};
  const call = client.request({...fixed, ...metadata});
  let status: unknown;
  call.on('trailers', (trailers) => {
    status = trailers['grpc-status'];
  });
  for (const message of messages) call.write(frame(request.encode(message)));
  call.end();
  const answers: Out[] = [];
  for await (const bytes of readFrames(call)) answers.push(response.decode(bytes));
  if (status !== '0') throw new Error(`${path} ended with ${status}`);
  return answers;
}

/** The connection inside a call: BytesMessages both ways. */
export function bytesOver(stream: ServerHttp2Stream): Duplex {
  respond(stream);
  const inner = new Duplex({
    read() {},
    write: (chunk, _encoding, done) => void stream.write(frame(BytesMessage.encode({data: chunk})), done),
    final: (done) => {
      end(stream);
      done();
    },
  });
  (async () => {
    for await (const bytes of readFrames(stream)) inner.push(BytesMessage.decode(bytes).data);
    inner.push(null);
  })().catch(() => inner.destroy());
  return inner.on('error', () => undefined);
}

export function frame(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

export async function* readFrames(stream: Http2Stream): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0);
  // A call that is not read to its end still has an answer.
  for await (const chunk of stream.iterator({destroyOnReturn: false})) {
    held = Buffer.concat([held, chunk as Buffer]);
    while (held.length >= 5 && held.length >= 5 + held.readUInt32BE(1)) {
      const length = held.readUInt32BE(1);
      yield held.subarray(5, 5 + length);
      held = held.subarray(5 + length);
    }
  }
}

export async function readOne<T>(
  stream: ServerHttp2Stream,
  {decode}: {decode(bytes: Uint8Array): T},
): Promise<T> {
  for await (const bytes of readFrames(stream)) return decode(bytes);
  throw new GrpcError(GrpcCode.INTERNAL, 'a call without a message');
}

export function respond(stream: ServerHttp2Stream): void {
  if (stream.headersSent || stream.destroyed) return;
  stream.respond({':status': 200, 'content-type': 'application/grpc'}, {waitForTrailers: true});
}

export function end(stream: ServerHttp2Stream, error?: GrpcError): void {
  if (stream.destroyed || stream.closed) return;
  respond(stream);
  stream.once('wantTrailers', () => stream.sendTrailers(Object.fromEntries(writeStatus(error))));
  stream.end();
}
