/** Covers merging kubeconfig files, for any files. */
import {expect} from 'chai';
import fc from 'fast-check';
import {mergeKubeconfigs} from '../../../../src/cluster/kubeconfig/merge.ts';
import type {Entry, KubeconfigFile} from '../../../../src/cluster/kubeconfig/parse.ts';

// Few names make duplicates likely.
const name = fc.constantFrom('', 'a', 'b', 'c', '__proto__', 'constructor');

function entries<Fields>(file: string, fields: fc.Arbitrary<Fields>): fc.Arbitrary<readonly Entry<Fields>[]> {
  return fc.uniqueArray(fc.record({name, file: fc.constant(file), fields}, {noNullPrototype: true}), {
    selector: (entry) => entry.name,
  });
}

const list: fc.Arbitrary<readonly KubeconfigFile[]> = fc
  .array(fc.constant(null), {maxLength: 5})
  .chain((slots) => fc.tuple(...slots.map((_, index) => kubeconfigFile(`/${index}`))));

function kubeconfigFile(file: string): fc.Arbitrary<KubeconfigFile> {
  return fc.record({
    file: fc.constant(file),
    currentContext: fc.oneof(fc.constant(''), name),
    clusters: entries(file, fc.record({server: fc.string()}, {noNullPrototype: true})),
    users: entries(file, fc.record({token: fc.string()}, {requiredKeys: [], noNullPrototype: true})),
    contexts: entries(
      file,
      fc.record({cluster: name, namespace: name}, {requiredKeys: [], noNullPrototype: true}),
    ),
  });
}

const kinds = ['clusters', 'users', 'contexts'] as const;

describe('mergeKubeconfigs, for any files', () => {
  it('takes each entry whole from the first file that has it', () => {
    fc.assert(
      fc.property(list, (files) => {
        const merged = mergeKubeconfigs(files);
        expect(merged.files).to.deep.equal(files.map(({file}) => file));
        for (const kind of kinds) {
          const all = files.flatMap((file): readonly Entry<unknown>[] => file[kind]);
          expect(new Set(merged[kind].keys())).to.deep.equal(new Set(all.map((entry) => entry.name)));
          for (const [key, entry] of merged[kind]) {
            expect(entry).to.equal(all.find((candidate) => candidate.name === key));
          }
        }
      }),
    );
  });

  it('takes the current context of the first file that sets one', () => {
    fc.assert(
      fc.property(list, (files) => {
        const set = files.map((file) => file.currentContext).filter((current) => current !== '');
        expect(mergeKubeconfigs(files).currentContext).to.equal(set[0] ?? '');
      }),
    );
  });

  it('gives the same for any grouping', () => {
    fc.assert(
      fc.property(list, fc.nat(5), (files, cut) => {
        const halves = [files.slice(0, cut), files.slice(cut)].map(mergeKubeconfigs);
        const regrouped = mergeKubeconfigs(
          halves.map(({currentContext, clusters, users, contexts}, index) => ({
            file: `/half-${index}`,
            currentContext,
            clusters: [...clusters.values()],
            users: [...users.values()],
            contexts: [...contexts.values()],
          })),
        );
        expect({...regrouped, files: []}).to.deep.equal({...mergeKubeconfigs(files), files: []});
      }),
    );
  });

  it('changes nothing for later or repeated files', () => {
    fc.assert(
      fc.property(list, list, (files, later) => {
        const before = mergeKubeconfigs(files);
        const after = mergeKubeconfigs([...files, ...later]);
        for (const kind of kinds) {
          for (const [key, entry] of before[kind]) expect(after[kind].get(key)).to.equal(entry);
        }
        expect({...mergeKubeconfigs([...files, ...files]), files: []}).to.deep.equal({...before, files: []});
      }),
    );
  });
});
