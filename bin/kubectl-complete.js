#!/usr/bin/env node
// What npm installs as kubectl_complete-tiltbuild: kubectl asks it to complete `kubectl tiltbuild …`.
process.argv.splice(2, 0, '__complete');
await import('./kubectl-tiltbuild.js');
