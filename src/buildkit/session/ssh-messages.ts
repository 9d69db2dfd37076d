/** Owns messages of the SSH agent protocol (draft-ietf-sshm-ssh-agent): a length, a type, and strings with lengths. */
import {GrpcCode, GrpcError} from '../../wire/grpc/status.ts';

/** Section 5 and its registry of numbers. */
export const SshMessage = {
  FAILURE: 5,
  REQUEST_IDENTITIES: 11,
  IDENTITIES_ANSWER: 12,
  SIGN_REQUEST: 13,
  SIGN_RESPONSE: 14,
} as const;

const LONGEST = 256 * 1024;

/** Whole messages, each with its length in front. */
export async function* readSshMessages(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let buffered = Buffer.alloc(0);
  for await (const chunk of chunks) {
    buffered = Buffer.concat([buffered, chunk]);
    while (buffered.length >= 4) {
      const length = buffered.readUInt32BE(0);
      if (length > LONGEST) throw new GrpcError(GrpcCode.INTERNAL, 'a message to an SSH agent is too long');
      if (buffered.length < 4 + length) break;
      yield buffered.subarray(0, 4 + length);
      buffered = buffered.subarray(4 + length);
    }
  }
}

export function sshMessage(type: number, ...parts: readonly Uint8Array[]): Buffer {
  return sshString(Buffer.concat([Buffer.from([type]), ...parts]));
}

export function sshString(bytes: Uint8Array | string): Buffer {
  const data = Buffer.from(bytes as Uint8Array);
  return Buffer.concat([sshNumber(data.length), data]);
}

export function sshNumber(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Without zeros in front but for one that keeps it positive (RFC 4251, section 5). */
export function sshInteger(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const short = start < 0 ? Buffer.alloc(0) : bytes.subarray(start);
  return sshString((short[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.alloc(1), short]) : short);
}

/** The first string and what follows it. Throws `RangeError` where there is none. */
export function takeSshString(bytes: Buffer): readonly [Buffer, Buffer] {
  const end = 4 + bytes.readUInt32BE(0);
  if (end > bytes.length) throw new RangeError('a string is longer than its message');
  return [bytes.subarray(4, end), bytes.subarray(end)];
}
