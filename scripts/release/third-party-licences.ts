/** Owns the file with the licences of everything in the program. */
import type {BundledPackage} from './bundled-packages.ts';

const RULE = '-'.repeat(80);

/** From LICENSE.md of Bun's repository, which Bun's npm package lacks. */
const LINKED_INTO_BUN = `
JavaScriptCore and WebCore (WebKit): LGPL-2.0-or-later and BSD-2-Clause
BoringSSL: ISC, OpenSSL and others
brotli, c-ares, libdeflate, libuv (on Windows), ls-hpack, ls-qpack, lsquic, mimalloc, uucode: MIT
libarchive: BSD-2-Clause and others
libbase64, libspng: BSD-2-Clause
lol-html, libwebp, zstd: BSD-3-Clause
libjpeg-turbo: BSD-3-Clause, IJG and Zlib
picohttpparser: MIT
highway, simdutf, uSockets, uWebSockets, parts of TigerBeetle: Apache-2.0
ICU: Unicode-3.0
TinyCC: LGPL-2.1
zlib-ng: Zlib
parts of LLVM: Apache-2.0 WITH LLVM-exception
acorn and the usual polyfills of Node's modules: MIT`.trim();

export function formatThirdPartyLicences(packages: readonly BundledPackage[], bunVersion: string): string {
  return [
    'kubectl-tiltbuild is licensed under Apache-2.0, see LICENSE.',
    'The program also contains:',
    '',
    `- Bun ${bunVersion}: MIT, with the libraries below (not in the package on npm, which runs on Node)`,
    ...packages.map(({name, version, licence}) => `- ${name} ${version}: ${licence}`),
    '',
    RULE,
    `Bun ${bunVersion}: MIT`,
    'Copyright (c) Oven',
    'https://github.com/oven-sh/bun',
    '',
    MIT,
    '',
    'Libraries in Bun:',
    LINKED_INTO_BUN,
    '',
    'The source of its WebKit: https://github.com/oven-sh/WebKit',
    'The LGPL lets you modify and relink it: https://bun.com/docs/project/license has instructions, and',
    'scripts/bun-compile.ts of kubectl-tiltbuild compiles the program with the Bun in node_modules.',
    ...packages.flatMap(({name, version, licence, texts}) => [
      '',
      RULE,
      `${name} ${version}: ${licence}`,
      '',
      texts.join('\n\n'),
    ]),
    '',
  ].join('\n');
}

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
