/** Covers advice on one line: its commands are quoted, its flags are written as the reader types them. */
import {expect} from 'chai';
import {type Advice, advise, command, flag, formatAdvice} from '../../../src/text/advice.ts';

const LINES: readonly (readonly [advice: Advice, line: string])[] = [
  ['Log in again.', 'Log in again.'],
  [command('kubectl', 'create', 'namespace', 'a b'), "kubectl create namespace 'a b'"],
  [advise`To check: ${command('kubectl', 'get', 'nodes')}`, 'To check: kubectl get nodes'],
  [advise`See ${command('kubectl', 'get', 'nodes')}.`, 'See `kubectl get nodes`.'],
  [advise`See: ${command('a')} or ${command('b')}`, 'See: `a` or `b`'],
  [
    advise`Wait longer with ${flag('timeout', '5m')}, or use ${flag('push')}.`,
    'Wait longer with --timeout 5m, or use --push.',
  ],
  [advise`Use ${flag('registry-secret', '')} for none.`, 'Use --registry-secret= for none.'],
  [advise`${command('kubectl', 'delete', 'pod', 'x; rm -rf #')}`, "`kubectl delete pod 'x; rm -rf #'`"],
];

describe('formatAdvice', () => {
  for (const [advice, line] of LINES) {
    it(`writes ${line}`, () => expect(formatAdvice(advice)).to.equal(line));
  }
});
