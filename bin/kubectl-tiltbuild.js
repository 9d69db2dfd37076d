#!/usr/bin/env node
// What npm installs, which runs the bundle in dist/npm; in a checkout, where there is a source, it runs that.
import {existsSync} from 'node:fs';

const source = new URL('../src/main.ts', import.meta.url);
const [major, minor] = process.versions.node.split('.').map(Number);
const isCheckout = existsSync(source);
// Node runs TypeScript by itself from 22.18 on, though never below node_modules.
const [wanted, isEnough] = isCheckout
  ? ['22.18', major > 22 || (major === 22 && minor >= 18)]
  : ['22', major >= 22];
if (!isEnough) {
  process.stderr.write(
    `error: kubectl-tiltbuild needs Node ${wanted} or newer, and this is ${process.version}.\n` +
      'hint:  Install a newer Node, or take the program from the releases, which needs no Node at all.\n',
  );
  process.exit(4);
}
await import(isCheckout ? source.href : new URL('../dist/npm/main.js', import.meta.url).href);
