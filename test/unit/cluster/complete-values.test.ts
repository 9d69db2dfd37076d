/** Covers the values that completion looks up, and that it is silent about errors. */
import {expect} from 'chai';
import {completeValues, type ValueSource} from '../../../src/cluster/complete-values.ts';
import type {Cluster} from '../../../src/cluster/ports.ts';
import type {Ports} from '../../../src/ports.ts';
import {makeSurroundings} from '../../helpers/surroundings.ts';

const KUBECONFIG = JSON.stringify({
  'current-context': 'kind-a',
  contexts: ['kind-a', 'work', 'kind-b', 'two\nlines'].map((name) => ({
    name,
    context: {cluster: `c-${name}`, user: `u-${name}`, namespace: 'builds'},
  })),
  clusters: [{name: 'c-kind-a', cluster: {server: 'https://a'}}],
  users: [{name: 'u-kind-a', user: {token: 't'}}],
});
const SURROUNDINGS = makeSurroundings();

type Given = {readonly kubeconfig?: string; readonly cluster?: Partial<Cluster>};

async function values(source: ValueSource, prefix: string, {kubeconfig = KUBECONFIG, cluster}: Given = {}) {
  const ports: Partial<Ports> = {
    files: {
      readBytes: async () => Buffer.from(kubeconfig),
      kindOf: () => 'missing',
      makePrivateDirectory: async () => ({
        path: '/tmp/private',
        spool: '/tmp/private',
        remove: async () => undefined,
      }),
      join: (...parts: string[]) => parts.join('/'),
      remove: async () => undefined,
    } as unknown as Ports['files'],
    clusters: {
      connect: () => {
        if (cluster === undefined) throw new Error('there is no cluster');
        return cluster as Cluster;
      },
    },
    // Long enough for everything that answers at all.
    sleep: () => new Promise((resolve) => setTimeout(resolve, 50)),
  };
  const request = {source, prefix, connection: {overrides: {}, passed: []}};
  return await completeValues(request, SURROUNDINGS, ports as Ports);
}

const list = (...names: string[]) => ({
  kind: 'found' as const,
  value: {items: names.map((name) => ({metadata: {name}}))},
});

describe('completeValues', () => {
  it('finds the names in the kubeconfig, sorted, without names of several lines', async () => {
    expect(await values('contexts', '')).to.deep.equal(['kind-a', 'kind-b', 'work']);
    expect(await values('contexts', 'kind-')).to.deep.equal(['kind-a', 'kind-b']);
    expect(await values('clusters', '')).to.deep.equal(['c-kind-a']);
    expect(await values('users', '')).to.deep.equal(['u-kind-a']);
  });

  it('asks the cluster for namespaces, builders and the names of pull secrets, and for nothing else', async () => {
    const asked: unknown[] = [];
    const cluster: Partial<Cluster> = {
      get: async (path) => {
        asked.push(path);
        return list('web', 'builds');
      },
      read: async (query) => {
        asked.push(query);
        return {pullSecrets: {kind: 'found', value: ['regcred', 'other']}};
      },
    };
    expect(await values('namespaces', '', {cluster})).to.deep.equal(['builds', 'web']);
    expect(await values('builders', 'w', {cluster})).to.deep.equal(['web']);
    expect(await values('pull-secrets', 'r', {cluster})).to.deep.equal(['regcred']);
    expect(asked).to.deep.equal([
      '/api/v1/namespaces?limit=500',
      '/apis/apps/v1/namespaces/builds/deployments?labelSelector=rootless%2Cruntime%2Cworker',
      {pullSecrets: true},
    ]);
  });

  const refused = async () => ({kind: 'forbidden', message: 'no'}) as const;
  for (const [title, given] of [
    ['the kubeconfig is malformed', {kubeconfig: '{'}],
    ['there is no context', {kubeconfig: '{}'}],
    ['the cluster cannot be reached', {cluster: {get: () => Promise.reject(new Error('no'))}}],
    ['the user has no permission', {cluster: {get: refused}}],
    ['the answer is nonsense', {cluster: {get: async () => ({kind: 'found', value: 5}) as const}}],
    ['the cluster never answers', {cluster: {get: () => new Promise<never>(() => undefined)}}],
  ] as const) {
    it(`finds nothing where ${title}`, async () => {
      expect(await values('namespaces', '', given)).to.deep.equal([]);
    });
  }
});
