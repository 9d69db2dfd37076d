/** Owns `npm run test:real`: the tests against a real BuildKit, or one line that says why this machine cannot run them. */
import {spawnSync} from 'node:child_process';
import {whyNoDockerd} from '../test/real/dockerd.ts';

const reason = whyNoDockerd();
if (reason === undefined) {
  const args = ['--timeout', '180000', 'test/real/**/*.test.ts', ...process.argv.slice(2)];
  const {status} = spawnSync('mocha', args, {stdio: 'inherit'});
  process.exitCode = status ?? 1;
} else {
  process.stdout.write(`Skipped the tests against a real BuildKit: ${reason}.\n0 passed, 0 failed\n`);
}
