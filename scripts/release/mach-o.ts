/**
 * Owns the code signature of a program for macOS. Bun signs programs for arm64, which do not start without a signature.
 * For x64 it leaves its runtime's signature in place, which does not match (1.4.5, compiled on Linux), and macOS kills a
 * program at the first page that does not match.
 */
import {createHash} from 'node:crypto';

const MAGIC_64 = 0xfeedfacf;
const HEADER_SIZE = 32;
const LC_SEGMENT_64 = 0x19;
const LC_CODE_SIGNATURE = 0x1d;
const SUPER_BLOB = 0xfade0cc0;
const CODE_DIRECTORY = 0xfade0c02;
const CODE_DIRECTORY_SLOT = 0;
/** The first version with the executable segment, which macOS on arm64 requires. */
const CODE_DIRECTORY_VERSION = 0x20400;
const CODE_DIRECTORY_SIZE = 88;
/** Ad hoc, and signed by a linker: codesign replaces it without --force. */
const FLAGS = 0x20002;
const AD_HOC = 0x2;
const SHA256 = 2;
const HASH_SIZE = 32;
const PAGE = 4096;
const SUPER_BLOB_SIZE = 20;
const MAIN_BINARY = 1n;

interface LoadCommands {
  /** Offsets of the commands in the file. */
  readonly text: number;
  readonly linkedit: number;
  readonly signature: number;
}

function readLoadCommands(file: Buffer): LoadCommands {
  if (file.readUInt32LE(0) !== MAGIC_64) throw new Error('This is not a 64-bit Mach-O file.');
  const found = new Map<string, number>();
  let offset = HEADER_SIZE;
  for (let left = file.readUInt32LE(16); left > 0; left -= 1) {
    const command = file.readUInt32LE(offset);
    if (command === LC_CODE_SIGNATURE) found.set('signature', offset);
    if (command === LC_SEGMENT_64) {
      found.set(file.toString('latin1', offset + 8, offset + 24).replace(/\0.*$/s, ''), offset);
    }
    offset += file.readUInt32LE(offset + 4);
  }
  const [text, linkedit, signature] = ['__TEXT', '__LINKEDIT', 'signature'].map((name) => found.get(name));
  if (text === undefined || linkedit === undefined || signature === undefined)
    throw new Error('The file has no code signature to replace.');
  return {text, linkedit, signature};
}

/** What is wrong with the ad-hoc signature of a Mach-O file; undefined if it matches every page. */
export function findSignatureFault(file: Buffer): string | undefined {
  const {signature} = readLoadCommands(file);
  const [start, size] = [file.readUInt32LE(signature + 8), file.readUInt32LE(signature + 12)];
  if (start + size !== file.length) return 'the signature is not the end of the file';
  if (file.readUInt32BE(start) !== SUPER_BLOB) return 'the signature is not a SuperBlob';
  const slots = Array.from({length: file.readUInt32BE(start + 8)}, (_, index) => start + 12 + index * 8);
  const slot = slots.find((offset) => file.readUInt32BE(offset) === CODE_DIRECTORY_SLOT);
  if (slot === undefined) return 'the signature has no CodeDirectory';
  const directory = start + file.readUInt32BE(slot + 4);
  const field = (index: number) => file.readUInt32BE(directory + index * 4);
  if (field(0) !== CODE_DIRECTORY) return 'the CodeDirectory has another magic number';
  if ((field(3) & AD_HOC) === 0) return 'the signature is not ad hoc';
  const [hashes, count, limit] = [directory + field(4), field(7), field(8)];
  if (limit !== start) return 'the CodeDirectory does not cover the whole file';
  if (file[directory + 36] !== HASH_SIZE || file[directory + 37] !== SHA256)
    return 'the hashes are not SHA-256';
  const page = 2 ** (file[directory + 39] ?? 0);
  if (count !== Math.ceil(limit / page)) return 'there is not one hash for each page';
  for (let index = 0; index < count; index += 1) {
    const content = file.subarray(index * page, Math.min((index + 1) * page, limit));
    const hash = file.subarray(hashes + index * HASH_SIZE, hashes + (index + 1) * HASH_SIZE);
    if (!sha256(content).equals(hash)) return `page ${index} does not match its hash`;
  }
  return undefined;
}

/** The program with an ad-hoc signature in place of its own. */
export function signAdHoc(file: Buffer, identifier: string): Buffer {
  const {text, linkedit, signature} = readLoadCommands(file);
  const limit = file.readUInt32LE(signature + 8);
  const name = Buffer.from(`${identifier}\0`);
  const count = Math.ceil(limit / PAGE);
  const hashOffset = CODE_DIRECTORY_SIZE + name.length;
  const directorySize = hashOffset + count * HASH_SIZE;
  const size = Math.ceil((SUPER_BLOB_SIZE + directorySize) / 16) * 16;

  const signed = Buffer.alloc(limit + size);
  file.copy(signed, 0, 0, limit);
  signed.writeUInt32LE(size, signature + 12);
  const linkeditSize = BigInt(limit + size) - file.readBigUInt64LE(linkedit + 40);
  signed.writeBigUInt64LE(linkeditSize, linkedit + 48);
  // In memory the segment has whole pages, of 16 KiB on arm64.
  signed.writeBigUInt64LE(((linkeditSize + 0x3fffn) / 0x4000n) * 0x4000n, linkedit + 32);

  const words = (at: number, ...values: readonly number[]) => {
    for (const [index, value] of values.entries()) signed.writeUInt32BE(value, at + index * 4);
  };
  words(limit, SUPER_BLOB, SUPER_BLOB_SIZE + directorySize, 1, CODE_DIRECTORY_SLOT, SUPER_BLOB_SIZE);
  const directory = limit + SUPER_BLOB_SIZE;
  words(directory, CODE_DIRECTORY, directorySize, CODE_DIRECTORY_VERSION, FLAGS);
  words(directory + 16, hashOffset, CODE_DIRECTORY_SIZE, 0, count, limit);
  signed.set([HASH_SIZE, SHA256, 0, Math.log2(PAGE)], directory + 36);
  // The executable segment: offset, size, and the flag of the main program.
  signed.writeBigUInt64BE(file.readBigUInt64LE(text + 40), directory + 64);
  signed.writeBigUInt64BE(file.readBigUInt64LE(text + 48), directory + 72);
  signed.writeBigUInt64BE(MAIN_BINARY, directory + 80);
  name.copy(signed, directory + CODE_DIRECTORY_SIZE);
  for (let index = 0; index < count; index += 1) {
    const content = signed.subarray(index * PAGE, Math.min((index + 1) * PAGE, limit));
    sha256(content).copy(signed, directory + hashOffset + index * HASH_SIZE);
  }
  return signed;
}

function sha256(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest();
}
