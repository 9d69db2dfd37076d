/** Owns an SSH agent of our own, which holds the private keys of files, for `--ssh ID=KEYFILE`. */
import {createPrivateKey, type KeyObject, sign, type webcrypto} from 'node:crypto';
import {Duplex} from 'node:stream';
import {TiltbuildError} from '../../errors.ts';
import {isOpenSshKey, parseOpenSshKey} from './ssh-key-file.ts';
import {
  readSshMessages,
  SshMessage,
  sshInteger,
  sshMessage,
  sshNumber,
  sshString,
  takeSshString,
} from './ssh-messages.ts';

export interface SshKey {
  /** The public key in the form that is on the wire. */
  readonly blob: Buffer;
  /** The comment in the file, or its path. */
  readonly comment: string;
  readonly sign: (data: Buffer, flags: number) => Buffer;
}

/** Reads a private key in OpenSSH's format or PEM. Throws `usage` for what is no such key, and for an encrypted one. */
export function readSshKey(path: string, content: Buffer): SshKey {
  const text = content.toString('latin1');
  let cause: unknown;
  try {
    const {jwk, comment} = isOpenSshKey(text) ? parseOpenSshKey(text) : {comment: '', jwk: undefined};
    const key = createPrivateKey(jwk === undefined ? content : {key: jwk, format: 'jwk'});
    return {...toSshKey(key), comment: comment || path};
  } catch (error) {
    cause = error;
  }
  const isEncrypted = /ENCRYPTED/.test(text) || (cause as Error).message === 'encrypted';
  const why = isEncrypted ? 'is encrypted' : 'is not a private key that can be read';
  throw new TiltbuildError('usage', `The SSH key "${path}" ${why}.`, {
    remedy: [
      isEncrypted
        ? 'Add it to an SSH agent with ssh-add, and forward the agent.'
        : 'Pass an RSA, ECDSA or Ed25519 key in the format of OpenSSH or in PEM.',
    ],
    cause,
  });
}

/** What a connection to an agent with these keys would be. */
export function openKeyAgent(keys: readonly SshKey[]): Duplex {
  return Duplex.from(async function* (requests: AsyncIterable<Uint8Array>) {
    for await (const request of readSshMessages(requests)) yield answer(request, keys);
  });
}

function answer(request: Buffer, keys: readonly SshKey[]): Buffer {
  switch (request[4]) {
    case SshMessage.REQUEST_IDENTITIES: {
      const listed = keys.flatMap(({blob, comment}) => [sshString(blob), sshString(comment)]);
      return sshMessage(SshMessage.IDENTITIES_ANSWER, sshNumber(keys.length), ...listed);
    }
    case SshMessage.SIGN_REQUEST: {
      const signature = trySign(request.subarray(5), keys);
      if (signature) return sshMessage(SshMessage.SIGN_RESPONSE, sshString(signature));
      break;
    }
  }
  return sshMessage(SshMessage.FAILURE);
}

function trySign(request: Buffer, keys: readonly SshKey[]): Buffer | undefined {
  try {
    const [blob, behind] = takeSshString(request);
    const [data, flags] = takeSshString(behind);
    return keys.find((key) => key.blob.equals(blob))?.sign(data, flags.readUInt32BE(0));
  } catch {
    return undefined; // The request is malformed.
  }
}

/** By the bits of a request's flags (section 4.4.1). Without them it is SHA-1, which few servers take. */
function rsaHash(flags: number): readonly [name: string, hash: string] {
  if (flags & 4) return ['rsa-sha2-512', 'sha512'];
  return flags & 2 ? ['rsa-sha2-256', 'sha256'] : ['ssh-rsa', 'sha1'];
}

const CURVES: ReadonlyMap<string | undefined, readonly [name: string, hash: string]> = new Map([
  ['P-256', ['nistp256', 'sha256']],
  ['P-384', ['nistp384', 'sha384']],
  ['P-521', ['nistp521', 'sha512']],
]);

/** RFC 4253, RFC 8332, RFC 5656 and RFC 8709. Throws for any other kind of key. */
function toSshKey(key: KeyObject): Omit<SshKey, 'comment'> {
  const {kty, crv, n, e, x, y}: webcrypto.JsonWebKey = key.export({format: 'jwk'});
  const join = (name: string, ...parts: readonly Buffer[]) => Buffer.concat([sshString(name), ...parts]);
  if (kty === 'RSA') {
    return {
      blob: join('ssh-rsa', sshInteger(decode(e)), sshInteger(decode(n))),
      sign: (data, flags) => {
        const [name, hash] = rsaHash(flags);
        return join(name, sshString(sign(hash, data, key)));
      },
    };
  }
  if (crv === 'Ed25519') {
    return {
      blob: join('ssh-ed25519', sshString(decode(x))),
      sign: (data) => join('ssh-ed25519', sshString(sign(null, data, key))),
    };
  }
  const [curve, hash] = CURVES.get(crv) ?? [];
  if (curve === undefined) throw new Error(`an unknown kind of key: ${kty} ${crv}`);
  const name = `ecdsa-sha2-${curve}`;
  const point = Buffer.concat([Buffer.from([4]), decode(x), decode(y)]);
  return {
    blob: join(name, sshString(curve), sshString(point)),
    sign: (data) => {
      const pair = sign(hash, data, {key, dsaEncoding: 'ieee-p1363'});
      const [r, s] = [pair.subarray(0, pair.length / 2), pair.subarray(pair.length / 2)];
      return join(name, sshString(Buffer.concat([sshInteger(r), sshInteger(s)])));
    },
  };
}

function decode(text = ''): Buffer {
  return Buffer.from(text, 'base64url');
}
