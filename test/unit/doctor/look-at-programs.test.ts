/** Covers how programs are asked for their versions, and which are never run. */
import {expect} from 'chai';
import {lookAtPrograms} from '../../../src/doctor/look-at-programs.ts';
import type {Files, Ports, Programs} from '../../../src/ports.ts';
import {makePorts} from '../builder/builder-world.ts';

/** Programs that are asked are on PATH as `/bin/NAME`. */
function machine(found: readonly string[], start = '', says: Readonly<Record<string, string>> = {}) {
  const ran: (readonly [string, Parameters<Programs['run']>[2]['env']])[] = [];
  const disk = new Map<string, string>();
  const programs: Programs = {
    path: ['/bin'],
    find: async (name) => (found.includes(name) ? `/bin/${name}` : undefined),
    findAll: async () => [],
    readStart: async () => start,
    run: async (program, args, {env}) => {
      ran.push([[program, ...args].join(' '), env]);
      return {exitCode: 0, stdout: says[program] ?? '', stderr: ''};
    },
  };
  const files: Partial<Files> = {
    makePrivateDirectory: async () => '/private',
    writePrivate: async (path, text) => {
      disk.set(path, text);
    },
    remove: async () => disk.clear(),
    join: (...parts) => parts.join('/'),
  };
  const ports: Ports = {...makePorts({files}), programs};
  return {ports, ran, disk};
}

describe('lookAtPrograms', () => {
  it('finds versions', async () => {
    const {ports, ran, disk} = machine(
      ['kubectl', 'kubectl-build', 'kubectl-buildkit', 'tilt'],
      '\u007fELF\u0000 kaniko',
      {
        '/bin/kubectl': '{\n  "clientVersion": {\n    "gitVersion": "v1.35.2",\n    "major": "1"\n  }\n}\n',
        '/bin/kubectl-buildkit': 'Client:  v0.1.6\nBuilder: connection refused\n',
        '/bin/tilt': 'v0.37.0, built 2026-01-02\n',
      },
    );
    expect(await lookAtPrograms(10, ports)).to.deep.equal({
      kubectl: {path: '/bin/kubectl', version: 'v1.35.2'},
      build: {path: '/bin/kubectl-build', isKaniko: false},
      buildkit: {path: '/bin/kubectl-buildkit', version: 'v0.1.6'},
      tilt: {path: '/bin/tilt', version: 'v0.37.0'},
      path: ['/bin'],
      twins: [],
    });
    const started = ran.map(([line]) => line).sort();
    expect(started).to.deep.equal([
      '/bin/kubectl version --client --output json',
      '/bin/kubectl-buildkit version',
      '/bin/tilt version',
    ]);
    expect(disk.size).to.equal(0);
  });

  it('keeps kubectl-buildkit from asking a cluster', async () => {
    const {ports, ran} = machine(['kubectl-buildkit']);
    await lookAtPrograms(10, ports);
    expect(ran.map(([, env]) => env)).to.deep.equal([{KUBECONFIG: '/private/kubeconfig'}]);
  });

  it("knows kaniko's plugin by its text, without running it", async () => {
    const start = '#!/bin/sh\nimage=gcr.io/kaniko-project/executor\n';
    const {ports, ran} = machine(['kubectl-build'], start);
    expect((await lookAtPrograms(10, ports)).build).to.include({isKaniko: true});
    expect(ran).to.deep.equal([]);
  });
});
