/** Covers the flags that keep a builder within a quota. */
import {expect} from 'chai';
import {findResourceFlags, readQuotas} from '../../../../src/builder/model/quotas.ts';

const quotas = (hard: object, used: object = {}) =>
  readQuotas({items: [{metadata: {name: 'q'}, spec: {hard}, status: {hard, used}}]});
const unset = (resources: string) => `forbidden: failed quota: q: must specify ${resources}`;
const exceeded = 'forbidden: exceeded quota: q, requested: ';

describe('findResourceFlags', () => {
  const both = {'limits.cpu': '4', 'limits.memory': '8Gi'};
  for (const [message, given, flags] of [
    [
      unset('limits.cpu for: buildkitd; limits.memory for: buildkitd'),
      quotas(both),
      '--limit-cpu 4 --limit-memory 8Gi --request-cpu 100m --request-memory 256Mi',
    ],
    // Kubernetes before 1.24 has no container in it.
    [
      unset('limits.cpu,limits.memory'),
      quotas(both),
      '--limit-cpu 4 --limit-memory 8Gi --request-cpu 100m --request-memory 256Mi',
    ],
    [
      unset('limits.cpu for: buildkitd; limits.memory for: buildkitd'),
      quotas(both, {'limits.cpu': '500m', 'limits.memory': '1Gi'}),
      '--limit-cpu 3500m --limit-memory 7168Mi --request-cpu 100m --request-memory 256Mi',
    ],
    [unset('requests.memory for: buildkitd'), quotas({'requests.memory': '1Gi'}), '--request-memory 256Mi'],
    [unset('memory for: buildkitd'), quotas({memory: '64Mi'}), '--request-memory 64Mi'],
    [unset('limits.cpu for: buildkitd'), [], '--limit-cpu 2 --request-cpu 100m'],
    [unset('limits.memory for: buildkitd'), quotas(both, {'limits.memory': '8Gi'}), ''],
    [
      `${exceeded}limits.memory=8Gi, used: limits.memory=1Gi, limited: limits.memory=4Gi`,
      [],
      '--limit-memory 3072Mi',
    ],
    [
      `${exceeded}limits.cpu=4,pods=1, used: limits.cpu=0,pods=1, limited: limits.cpu=2,pods=1`,
      [],
      '--limit-cpu 2',
    ],
    [`${exceeded}cpu=1, used: cpu=1, limited: cpu=1`, [], ''],
    [`${exceeded}pods=1, used: pods=0, limited: pods=0`, [], ''],
    ['maximum memory usage per Container is 1Gi, but limit is 2Gi', [], '--limit-memory 1Gi'],
    ['minimum cpu usage per Pod is 500m, but no request is specified', [], '--request-cpu 500m'],
    [
      '[minimum cpu usage per Pod is 200m.  No request is specified, maximum cpu usage per Pod is 1.5.  No limit is specified, maximum memory usage per Pod is 128Mi.  No limit is specified]',
      [],
      '--request-cpu 200m --limit-cpu 1.5 --limit-memory 128Mi --request-memory 128Mi',
    ],
    [
      '[minimum memory usage per Pod is 64Mi.  No request is specified, maximum memory usage per Pod is 512Mi, but limit is 2Gi]',
      [],
      '--request-memory 64Mi --limit-memory 512Mi',
    ],
    ['something else', quotas(both), ''],
  ] as const) {
    it(`finds ${flags || 'none'} for ${message}`, () =>
      expect(findResourceFlags(message, given).join(' ')).to.equal(flags));
  }
});
