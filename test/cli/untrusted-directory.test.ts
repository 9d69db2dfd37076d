/** Covers that files of a checkout do not change how the program runs. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {DIGEST, describeCommand} from '../helpers/world.ts';

const FILES: Readonly<Record<string, string>> = {
  '.env': 'KUBECONFIG=/nowhere\nPATH=/nowhere\nHTTPS_PROXY=http://127.0.0.1:9\n',
  'bunfig.toml': 'preload = ["./preload.ts"]\n',
  'preload.ts': 'console.error("code of the checkout has run");\nprocess.exit(9);\n',
  'tsconfig.json': '{"compilerOptions": {"paths": {"*": ["./preload.ts"]}}}\n',
  'package.json': '{"oclif": {"plugins": ["./preload.ts"]}, "imports": {"#x": "./preload.ts"}}\n',
};

describeCommand('a directory with files for the runtime', (world) => {
  it('does not change the build', async () => {
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(world.sandbox.work, name), text);
    const ended = await world.tiltbuild(['-t', 'localhost/web:dev', '.']);
    expect(ended).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
    expect(ended.stderr).not.to.contain('code of the checkout');
  });
});
