/** Covers the last line of a build on a terminal. */
import {expect} from 'chai';
import {renderDone} from '../../../../src/cli/render/render-outcome.ts';
import type {BuildResult} from '../../../../src/image-build/build-result.ts';

const RESULT: BuildResult = {
  digest: `sha256:${'ab'.repeat(32)}`,
  reference: null,
  references: ['localhost/web:dev'],
  product: 'kind',
  context: 'kind-demo',
  namespace: 'default',
  builder: 'buildkit',
  node: null,
  nodes: [],
  engine: 'builtin',
  engineReason: 'kubectl build is not on PATH',
  pullSecret: null,
  seconds: 12.345,
};
const PLAIN = {colour: false};
const runtime = {destination: {kind: 'runtime', stdout: false}, push: false} as const;

describe('renderDone', () => {
  for (const [result, asked, line] of [
    [
      {...RESULT, references: [], seconds: 0.04},
      runtime,
      'done:  built an untagged image (sha256:abababababab) in 0.0 s\n',
    ],
    [
      {...RESULT, references: ['a:1', 'b:1'], seconds: 125},
      {destination: {kind: 'image', stdout: false}, push: true},
      'done:  pushed a:1, b:1 (sha256:abababababab) in 2 min 5 s\n',
    ],
    [
      {...RESULT, digest: undefined},
      {destination: {kind: 'files', stdout: false}, push: false},
      'done:  wrote the files in 12.3 s\n',
    ],
  ] as const) {
    it(`says ${line.trim()}`, () => expect(renderDone(result, asked, PLAIN)).to.equal(line));
  }
});
