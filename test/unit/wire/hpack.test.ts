import {expect} from 'chai';
import fc from 'fast-check';
import {Http2Error} from '../../../src/wire/http2/errors.ts';
import {HpackDecoder} from '../../../src/wire/http2/hpack-decoder.ts';
import {encodeHeaders} from '../../../src/wire/http2/hpack-encoder.ts';
import {decodeHuffman} from '../../../src/wire/http2/hpack-huffman.ts';
import {type Header, HUFFMAN_LENGTHS} from '../../../src/wire/http2/hpack-tables.ts';

const LONGEST = 100_000;
const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

function decode(blocks: readonly string[]): string[][] {
  const decoder = new HpackDecoder(LONGEST);
  return blocks.map((block) => decoder.decode(bytes(block)).map(([name, value]) => `${name}: ${value}`));
}

const requests = [
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
  [
    ':method: GET',
    ':scheme: https',
    ':path: /index.html',
    ':authority: www.example.com',
    'custom-key: custom-value',
  ],
];
const date = 'date: Mon, 21 Oct 2013 20:13:21 GMT';
const location = 'location: https://www.example.com';
const responses = [
  [':status: 302', 'cache-control: private', date, location],
  [':status: 307', 'cache-control: private', date, location],
  [
    ':status: 200',
    'cache-control: private',
    date.replace(':21 GMT', ':22 GMT'),
    location,
    'content-encoding: gzip',
    'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ],
];
/** The table of the responses has 256 bytes, which their first block has to say. */
const SMALL_TABLE = '3f e1 01';

/** RFC 7541, appendix C. */
const examples: Record<string, {blocks: string[]; headers: string[][]}> = {
  'C.2.1': {
    blocks: ['400a637573746f6d2d6b65790d637573746f6d2d686561646572'],
    headers: [['custom-key: custom-header']],
  },
  'C.2.2': {blocks: ['040c2f73616d706c652f70617468'], headers: [[':path: /sample/path']]},
  'C.2.3': {blocks: ['100870617373776f726406736563726574'], headers: [['password: secret']]},
  'C.2.4': {blocks: ['82'], headers: [[':method: GET']]},
  'C.3': {
    blocks: [
      '828684410f7777772e6578616d706c652e636f6d',
      '828684be58086e6f2d6361636865',
      '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
    ],
    headers: requests,
  },
  'C.4': {
    blocks: [
      '828684418cf1e3c2e5f23a6ba0ab90f4ff',
      '828684be5886a8eb10649cbf',
      '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
    ],
    headers: requests,
  },
  'C.5': {
    blocks: [
      `${SMALL_TABLE}4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d`,
      '4803333037c1c0bf',
      '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31',
    ],
    headers: responses,
  },
  'C.6': {
    blocks: [
      `${SMALL_TABLE}488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3`,
      '4883640effc1c0bf',
      '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
    ],
    headers: responses,
  },
};

describe('header blocks', () => {
  for (const [section, {blocks, headers}] of Object.entries(examples)) {
    it(`are read as in the example ${section} of RFC 7541`, () => {
      expect(decode(blocks)).to.deep.equal(headers);
    });
  }

  it('have a code for each byte, and no two that could be mistaken for each other', () => {
    // What the codes fill of all there are, in 2^30ths; a code that is a beginning of another would be too much.
    expect(HUFFMAN_LENGTHS.reduce((sum, length) => sum + 2 ** (30 - length), 0)).to.equal(2 ** 30);
    expect(HUFFMAN_LENGTHS).to.have.length(257);
    // Of appendix B, where the order of the codes could be wrong: the first and the last of a length.
    const codes = [
      [0x30, 0x0],
      [0x74, 0x9],
      [0x20, 0x14],
      [0x75, 0x2d],
      [0x7a, 0x7b],
      [0x00, 0x1ff8],
      [0x7e, 0x1ffd],
      [0x7b, 0x7ffe],
      [0x80, 0xfffe6],
      [0xe2, 0xfffed],
      [0xff, 0x3ffffee],
      [0xcb, 0x7ffffde],
      [0xfe, 0x7fffff0],
      [0x02, 0xfffffe2],
      [0xf9, 0xffffffe],
      [0x0a, 0x3ffffffc],
      [0x16, 0x3ffffffe],
    ] as const;
    for (const [byte, code] of codes) {
      const bits = code.toString(2).padStart(HUFFMAN_LENGTHS[byte] ?? 0, '0');
      const filled = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1').match(/.{8}/g) ?? [];
      const decoded = decodeHuffman(Buffer.from(filled.map((eight) => Number.parseInt(eight, 2))));
      expect(decoded).to.equal(String.fromCharCode(byte));
    }
  });

  it('come out as they went in, with any bytes and lengths', () => {
    const text = fc.oneof(
      fc.string({
        unit: fc.integer({min: 0, max: 255}).map((code) => String.fromCharCode(code)),
        maxLength: 20,
      }),
      fc.constantFrom(126, 127, 128, 254, 255, 256, 20_000).map((length) => 'x'.repeat(length)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), {maxLength: 4}), (headers) => {
        expect(new HpackDecoder(1e6).decode(encodeHeaders(headers as Header[]))).to.deep.equal(headers);
      }),
    );
  });

  const broken: Record<string, string> = {
    'a number that no header has': 'be',
    'the number nought': '80',
    'a name by a number that no header has': '7f 80 80 80 00 01 61',
    'no value': '40 01 61',
    'a string longer than the block': '40 05 61',
    'a number without its end': 'ff ff',
    'a number without bounds': 'ff ff ff ff ff ff ff 00',
    'a table larger than ours': '3f e2 1f',
    'a number of a header that found no room': '20 40 01 61 01 62 be',
    'a table that changes behind a header': '82 20',
    'a compressed string that ends with its last byte': '04 82 f8 ff',
    'a compressed string filled with noughts': '04 81 00',
    'the end within a compressed string': '04 84 ff ff ff ff',
  };
  for (const [what, block] of Object.entries(broken)) {
    it(`are refused with ${what}`, () => {
      expect(() => decode([block]))
        .to.throw(Http2Error)
        .with.property('code', 9);
    });
  }

  it('are refused when they are long once they are written out', () => {
    const remember = `40 01 61 7f a1 1e ${'62'.repeat(4_000)}`;
    expect(() => decode([remember, 'be'.repeat(30)]))
      .to.throw(Http2Error)
      .with.property('code', 11);
  });

  it('are never anything but read or refused', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({maxLength: 60}), {maxLength: 3}), (blocks) => {
        const decoder = new HpackDecoder(LONGEST);
        try {
          for (const block of blocks) decoder.decode(Buffer.from(block));
        } catch (error) {
          expect(error).to.be.instanceOf(Http2Error);
        }
      }),
      {numRuns: 2_000},
    );
  });
});
