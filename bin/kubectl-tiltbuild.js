#!/usr/bin/env node
// Runs the source, for development; users get the compiled binary. Node runs TypeScript by itself from 22.18 on.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `error: kubectl-tiltbuild needs Node 22.18 or newer to run from source, and this is ${process.version}.\n` +
      'hint:  npm run build makes a binary that needs no Node at all.\n',
  );
  process.exit(4);
}
await import('../src/main.ts');
