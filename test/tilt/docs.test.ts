/** Covers the Tiltfiles in the documentation: each of them loads, and builds the images that it names. */
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';
import {PAGES, readBlocks} from '../helpers/doc-pages.ts';
import {runTiltfile} from '../helpers/tilt.ts';

/** What the Tiltfiles name. */
const DIRECTORIES = ['.', 'api', 'base', 'runner', 'shared', 'web'];
const HEAD = "load('ext://kubectl_build', 'kubectl_build')\n";

describe('the Tiltfiles in the documentation', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tiltfile-'));
    for (const name of DIRECTORIES) {
      mkdirSync(join(directory, name), {recursive: true});
      writeFileSync(join(directory, name, 'Dockerfile'), 'ARG TILT_IMAGE_0\nFROM $TILT_IMAGE_0\n');
    }
  });
  afterEach(() => rmSync(directory, {recursive: true}));

  for (const page of PAGES) {
    for (const block of readBlocks(page, 'python')) {
      const [name = ''] = /^\w+_build.*(?=\()/m.exec(block) ?? [];
      it(`${page}: ${name}`, () => {
        const source = block.includes('load(') ? block : `${HEAD}${block}`;
        const {customBuilds, warnings} = runTiltfile(source, {
          directory,
          env: {HOME: '/home/me'},
          runProgram: () => '',
        });
        const named = [...block.matchAll(/^\w+_build\w*\(\s*'([^']+)'/gm)].map(([, ref]) => ref);
        expect(named).not.to.deep.equal([]);
        expect(customBuilds.map(({ref}) => ref)).to.include.members(named);
        expect(warnings).to.deep.equal([]);
      });
    }
  }

  it('load the extension as Tilt does', () => {
    const [block = ''] = readBlocks('README.md', 'python');
    const {others} = runTiltfile(block, {directory, env: {HOME: '/home/me'}});
    const [[, repo], [, extension]] = others as [[string, object], [string, object]];
    expect(repo).to.include({name: 'tiltbuild'});
    expect(extension).to.deep.equal({
      name: 'kubectl_build',
      repo_name: 'tiltbuild',
      repo_path: 'tilt/kubectl_build',
    });
  });
});
