/**
 * Owns taking its environment variables from Bun's runtime. They run code (BUN_OPTIONS), print tokens
 * (BUN_CONFIG_VERBOSE_FETCH), turn off TLS (NODE_TLS_REJECT_UNAUTHORIZED), and no option of Bun 1.4.5 closes them. In the
 * runtime's file the names of whole families get another second letter: no variable that Bun looks for is one that
 * anybody sets. What the program hands to its children keeps its names, as these come from the environment.
 */

/** How names begin. A letter follows: `BUN_1.2` is the version of symbols. */
const FAMILIES = ['BUN_', 'NODE_', 'JSC_', 'WTF_', 'ICU_', 'SIMDUTF_'];
/** mimalloc joins its prefix and the name of an option, and ignores case. */
const ALLOCATOR = 'mimalloc';
const INSTEAD = '0'.charCodeAt(0);

/** Bun compares this prefix letter by letter, in code. */
const IN_CODE = 'BUN_JSC_';

/** These are in every runtime; if one is not found, Bun keeps its names in another way than the one known here. */
const KNOWN = [
  'BUN_BE_BUN',
  'BUN_CONFIG_VERBOSE_FETCH',
  'BUN_INSPECT',
  'BUN_OPTIONS',
  'NODE_CHANNEL_FD',
  'NODE_DEBUG',
  'NODE_EXTRA_CA_CERTS',
  'NODE_TLS_REJECT_UNAUTHORIZED',
];

/** The runtime for any platform, with other names. Throws where they are not where they should be. */
export function renameVariables(runtime: Buffer): Buffer {
  for (const name of KNOWN) {
    if (!runtime.includes(name)) throw new Error(`Bun's runtime does not contain the name ${name}.`);
  }
  const renamed = Buffer.from(runtime);
  for (const at of findNames(runtime)) renamed[at + 1] = INSTEAD;
  for (const at of findAll(runtime, ALLOCATOR)) renamed[at + 1] = INSTEAD;
  // Windows has some of the names in UTF-16.
  for (const at of findNames(runtime, 'utf16le')) renamed[at + 2] = INSTEAD;
  renameInCode(renamed);
  return renamed;
}

function findNames(runtime: Buffer, encoding: 'latin1' | 'utf16le' = 'latin1'): readonly number[] {
  const width = encoding === 'latin1' ? 1 : 2;
  return FAMILIES.flatMap((family) =>
    findAll(runtime, Buffer.from(family, encoding)).filter((at) => {
      const next = String.fromCharCode(runtime[at + family.length * width] ?? 0);
      // An underscore in front makes it part of a longer name, which is no variable.
      return /[A-Za-z]/.test(next) && runtime[at - width] !== '_'.charCodeAt(0);
    }),
  );
}

function findAll(file: Buffer, text: string | Buffer): readonly number[] {
  const found: number[] = [];
  for (let at = file.indexOf(text); at !== -1; at = file.indexOf(text, at + 1)) found.push(at);
  return found;
}

function renameInCode(file: Buffer): void {
  const [x64, arm64] = [findInX64(file), findInArm64(file)];
  const [at, ...others] = [...x64, ...arm64];
  if (at === undefined || others.length > 0) {
    throw new Error(
      `Bun's runtime compares with ${IN_CODE} in ${x64.length + arm64.length} places, not in one.`,
    );
  }
  if (x64.length > 0) file[at] = INSTEAD;
  else file.writeUInt32LE((file.readUInt32LE(at) & ~(0xfff << 10)) | (INSTEAD << 10), at);
}

/** Where the second letter is: `cmp byte [register + n], letter` and a jump, for one letter after the other. */
function findInX64(file: Buffer): readonly number[] {
  const [first = '', ...letters] = IN_CODE;
  const comparisons = letters.map((letter, index) => Buffer.from([index + 1, letter.charCodeAt(0)]));
  return findAll(file, comparisons[0] ?? '').flatMap((start) => {
    const isFirst = file.subarray(Math.max(0, start - 8), start).includes(first);
    let at: number | undefined = start;
    for (const comparison of comparisons) {
      const next: number = file.subarray(at, at + 12).indexOf(comparison);
      if (next === -1) return [];
      at += next;
    }
    return isFirst ? [start + 1] : [];
  });
}

/** Where the comparison with the second letter is: `cmp w<n>, #letter`, with a load and a jump between them. */
function findInArm64(file: Buffer): readonly number[] {
  const words = new Uint32Array(file.buffer, file.byteOffset, Math.floor(file.length / 4));
  const letterAt = (index: number) => {
    const word = words[index] ?? 0;
    return (word & 0xffc0001f) >>> 0 === 0x7100001f ? (word >>> 10) & 0xfff : undefined;
  };
  const found: number[] = [];
  for (let index = 0; index < words.length; index += 1) {
    if (letterAt(index) !== IN_CODE.charCodeAt(0)) continue;
    const places = [index];
    for (let next = index + 1; next < index + 48 && places.length < IN_CODE.length; next += 1) {
      if (letterAt(next) === IN_CODE.charCodeAt(places.length)) places.push(next);
    }
    if (places.length === IN_CODE.length) found.push((places[1] ?? 0) * 4);
  }
  return found;
}
