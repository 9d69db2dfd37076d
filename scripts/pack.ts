/** Owns the bundle in the npm package, which is JavaScript since Node runs no TypeScript in node_modules. */
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {bundleForNode} from './bun-compile.ts';
import {findCommit} from './commit.ts';
import {ROOT} from './generated-file.ts';
import {findBundledPackages, readBunVersion} from './release/bundled-packages.ts';
import {formatThirdPartyLicences} from './release/third-party-licences.ts';

const directory = join(ROOT, 'dist', 'npm');
rmSync(directory, {recursive: true, force: true});
mkdirSync(directory, {recursive: true});
bundleForNode(join(directory, 'main.js'), findCommit());
writeFileSync(
  join(directory, 'third-party.txt'),
  formatThirdPartyLicences(findBundledPackages(), readBunVersion()),
);
