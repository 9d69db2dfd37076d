/** Owns OpenSSH's own format of private keys (its PROTOCOL.key), which node:crypto does not read. */
import type {webcrypto} from 'node:crypto';
import {takeSshString} from './ssh-messages.ts';

const KEY = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/;
const MAGIC = 'openssh-key-v1\0';

export function isOpenSshKey(text: string): boolean {
  return KEY.test(text);
}

/** Throws `encrypted` for a key with a passphrase, and another error for what cannot be read. */
export function parseOpenSshKey(text: string): {
  readonly jwk: webcrypto.JsonWebKey;
  readonly comment: string;
} {
  const bytes = Buffer.from(KEY.exec(text)?.[1] ?? '', 'base64');
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) throw new Error('not a key of OpenSSH');
  // Cipher, key derivation and its options, a count of one, the public key, and what is private.
  const head = new Fields(bytes.subarray(MAGIC.length));
  const cipher = head.next().toString();
  if (cipher !== 'none') throw new Error('encrypted');
  head.next();
  head.next();
  head.skip(4);
  head.next();
  const fields = new Fields(head.next());
  // Twice the same number, by which a passphrase is checked.
  fields.skip(8);
  const jwk = readJwk(fields.next().toString(), fields);
  return {jwk, comment: fields.next().toString()};
}

class Fields {
  #rest: Buffer;

  constructor(bytes: Buffer) {
    this.#rest = bytes;
  }

  next(): Buffer {
    const [field, rest] = takeSshString(this.#rest);
    this.#rest = rest;
    return field;
  }

  skip(length: number): void {
    this.#rest = this.#rest.subarray(length);
  }
}

const CURVES: ReadonlyMap<string, readonly [name: string, size: number]> = new Map([
  ['nistp256', ['P-256', 32]],
  ['nistp384', ['P-384', 48]],
  ['nistp521', ['P-521', 66]],
]);

function readJwk(type: string, fields: Fields): webcrypto.JsonWebKey {
  if (type === 'ssh-rsa') {
    const next = () => toBigInt(fields.next());
    const [n, e, d, qi, p, q] = [next(), next(), next(), next(), next(), next()];
    const numbers = {n, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi};
    const encoded = Object.entries(numbers).map(([name, value]) => [name, encode(fromBigInt(value))]);
    return {kty: 'RSA', ...Object.fromEntries(encoded)};
  }
  if (type === 'ssh-ed25519') {
    const [x, seed] = [fields.next(), fields.next().subarray(0, 32)];
    return {kty: 'OKP', crv: 'Ed25519', x: encode(x), d: encode(seed)};
  }
  const [crv, size] = CURVES.get(type.replace('ecdsa-sha2-', '')) ?? [];
  if (crv === undefined || size === undefined) throw new Error(`an unknown kind of key: ${type}`);
  fields.next();
  // Behind a 4, both coordinates.
  const point = fields.next().subarray(1);
  const d = fromBigInt(toBigInt(fields.next()), size);
  const [x, y] = [point.subarray(0, size), point.subarray(size)];
  return {kty: 'EC', crv, x: encode(x), y: encode(y), d: encode(d)};
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64url');
}

function toBigInt(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex') || '0'}`);
}

function fromBigInt(value: bigint, size = 0): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(Math.max(size * 2, hex.length + (hex.length % 2)), '0'), 'hex');
}
