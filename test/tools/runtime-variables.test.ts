/** Covers the overwriting of names in a runtime, on small files shaped as those for each platform. */
import {expect} from 'chai';
import {renameVariables} from '../../scripts/runtime-variables.ts';

const NAMES = [
  'BUN_BE_BUN',
  'BUN_CONFIG_VERBOSE_FETCH',
  'BUN_INSPECT',
  'BUN_OPTIONS',
  'NODE_CHANNEL_FD',
  'NODE_DEBUG',
  'NODE_EXTRA_CA_CERTS',
  'NODE_TLS_REJECT_UNAUTHORIZED',
].join('\0');

const wide = (text: string) => Buffer.from(text, 'utf16le').toString('latin1');
/** `cmp byte [rsi + n], letter; jne` for each letter. */
const x64 = (letters: string) =>
  [...letters].map((letter, at) => `\x80${at ? `\x7e${String.fromCharCode(at)}` : '\x3e'}${letter}\x75\x10`);
/** `ldrb w8, [x0]; cmp w8, #letter; b.ne` for each letter. */
const arm64 = (letters: string) =>
  [...letters].flatMap((letter) =>
    [0x39400008, 0x7100011f | (letter.charCodeAt(0) << 10), 0x54000101].map((word) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(word >>> 0);
      return bytes.toString('latin1');
    }),
  );
const file = (code: readonly string[], rest = '') =>
  Buffer.from(`${code.join('')}\0${NAMES}\0${rest}`, 'latin1');

describe('renameVariables', () => {
  for (const [processor, code] of Object.entries({x64, arm64})) {
    it(`changes the names in the data and the code for ${processor}, and nothing else`, () => {
      const rest = `mimalloc_\0BUN_1.2\0SRC_NODE_API\0useBUN_X\0${wide('BUN_WATCHER')}`;
      const renamed = `m0malloc_\0BUN_1.2\0SRC_NODE_API\0useB0N_X\0${wide('B0N_WATCHER')}`;
      const names = NAMES.replaceAll('BUN_', 'B0N_').replaceAll('NODE_', 'N0DE_');
      expect(renameVariables(file(code('BUN_JSC_'), rest)).toString('latin1')).to.equal(
        `${code('B0N_JSC_').join('')}\0${names}\0${renamed}`,
      );
    });
  }

  it('fails where a name or the comparison in the code is not where it is expected', () => {
    const good = x64('BUN_JSC_');
    for (const [runtime, words] of [
      [Buffer.from(file(good).toString('latin1').replace('BUN_OPTIONS', 'BUN_CHOICES')), 'BUN_OPTIONS'],
      [file(x64('BUN_JSX_')), 'in 0 places'],
      [file([...good, ...good]), 'in 2 places'],
    ] as const) {
      expect(() => renameVariables(runtime)).to.throw(words);
    }
  });
});
