/** Owns oclif.manifest.json: what oclif itself finds out of the commands. `--check` compares only. */
import {join} from 'node:path';
import {makePlugin} from '../src/cli/help/oclif-boot.ts';
import {commands} from '../src/cli/help/oclif-lines.ts';
import {ROOT, settleGeneratedFile} from './generated-file.ts';

const {manifest} = await makePlugin(commands);
settleGeneratedFile(
  join(ROOT, 'oclif.manifest.json'),
  `${JSON.stringify(manifest, null, 2)}\n`,
  'npm run manifest',
);
