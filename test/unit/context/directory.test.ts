/** Covers a directory one of whose files is a text in memory. */
import {expect} from 'chai';
import {withText} from '../../../src/context/directory.ts';
import {excluding} from '../../../src/context/filters.ts';
import {Patterns} from '../../../src/context/patterns.ts';
import {memoryDirectory} from './memory-files.ts';

const DIRECTORY = memoryDirectory({
  Dockerfile: 'old',
  'Dockerfile.dockerignore': 'x',
  a: 'a',
  z: {link: 'a'},
});

describe('a directory with a text as one of its files', () => {
  for (const [what, path, paths] of [
    ['in the place of that file', 'Dockerfile', ['Dockerfile', 'Dockerfile.dockerignore', 'a', 'z']],
    ['in the place of a link', 'z', ['Dockerfile', 'Dockerfile.dockerignore', 'a', 'z']],
    [
      'behind all others, where there is no such file',
      'b',
      ['Dockerfile', 'Dockerfile.dockerignore', 'a', 'z', 'b'],
    ],
  ] as const) {
    it(`has it ${what}`, async () => {
      const changed = withText(DIRECTORY, path, 'changed', {modified: 2n});
      const entries = [...changed.walk([])];
      expect(entries.map((entry) => entry.path)).to.deep.equal(paths);
      const [entry] = entries.filter((one) => one.path === path);
      expect(entry).to.include({kind: 'file', size: 7, modified: 2n}).and.not.have.property('link');
      for (const [name, text] of [
        [path, 'changed'],
        ['a', 'a'],
      ] as const) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of changed.read({path: name, size: text.length})) chunks.push(chunk);
        expect(Buffer.concat(chunks).toString()).to.equal(text);
      }
      expect(changed.readLink(path)).to.equal(undefined);
    });
  }

  it('has it even where a filter excludes the file', () => {
    const changed = withText(DIRECTORY, 'Dockerfile', 'changed', {modified: 2n});
    const entries = [...changed.walk([excluding(new Patterns(['Dockerfile'], 'test'))])];
    expect(entries.map(({path}) => path)).to.deep.equal(['Dockerfile.dockerignore', 'a', 'z', 'Dockerfile']);
  });
});
