/** Owns oclif.manifest.json, which describes the commands as oclif sees them. `--check` compares only. */
import {join} from 'node:path';
import {makePlugin} from '../src/cli/help/oclif-boot.ts';
import {oclifCommands} from '../src/cli/help/oclif-commands.ts';
import {ROOT, settleGeneratedFile} from './generated-file.ts';

const {manifest} = await makePlugin(oclifCommands);
settleGeneratedFile(
  join(ROOT, 'oclif.manifest.json'),
  `${JSON.stringify(manifest, null, 2)}\n`,
  'npm run manifest',
);
