/** Covers how programs are asked for their versions, and which are never run. */
import {expect} from 'chai';
import {lookAtPrograms} from '../../../src/doctor/look-at-programs.ts';
import type {Files, FoundPlugin, Ports, Programs} from '../../../src/ports.ts';
import {makePorts} from '../builder/builder-world.ts';

interface Machine {
  readonly found?: readonly string[];
  readonly says?: Readonly<Record<string, string>>;
  readonly plugin?: FoundPlugin;
}

/** Programs that are asked are on PATH as `/bin/NAME`. */
function machine({found = [], says = {}, plugin}: Machine) {
  const ran: (readonly [string, Parameters<Programs['run']>[2]['env']])[] = [];
  const disk = new Map<string, string>();
  const programs: Programs = {
    path: ['/bin'],
    find: async (name) => (found.includes(name) ? `/bin/${name}` : undefined),
    findAll: async () => [],
    run: async (program, args, {env}) => {
      ran.push([[program, ...args].join(' '), env]);
      return {exitCode: 0, stdout: says[program] ?? '', stderr: ''};
    },
  };
  const files: Partial<Files> = {
    makePrivateDirectory: async () => ({
      path: '/private',
      spool: '/private',
      remove: async () => disk.clear(),
    }),
    writePrivate: async (path, text) => {
      disk.set(path, text);
    },
    join: (...parts) => parts.join('/'),
  };
  const base = makePorts({files});
  const ports: Ports = {...base, programs, delegate: {...base.delegate, find: async () => plugin}};
  return {ports, ran, disk};
}

describe('lookAtPrograms', () => {
  it('finds versions', async () => {
    const {ports, ran, disk} = machine({
      found: ['kubectl', 'kubectl-buildkit', 'tilt'],
      says: {
        '/bin/kubectl': '{\n  "clientVersion": {\n    "gitVersion": "v1.35.2",\n    "major": "1"\n  }\n}\n',
        '/bin/kubectl-buildkit': 'Client:  v0.1.6\nBuilder: connection refused\n',
        '/bin/tilt': 'v0.37.0, built 2026-01-02\n',
      },
      plugin: {path: '/bin/kubectl-build'},
    });
    expect(await lookAtPrograms(10, ports)).to.deep.equal({
      kubectl: {path: '/bin/kubectl', version: 'v1.35.2'},
      build: {path: '/bin/kubectl-build'},
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
    const {ports, ran} = machine({found: ['kubectl-buildkit']});
    await lookAtPrograms(10, ports);
    expect(ran.map(([, env]) => env)).to.deep.equal([{KUBECONFIG: '/private/kubeconfig'}]);
  });

  it('does not run kubectl-build', async () => {
    const plugin = {path: '/bin/kubectl-build', flaw: 'is empty'};
    const {ports, ran} = machine({plugin});
    expect((await lookAtPrograms(10, ports)).build).to.deep.equal(plugin);
    expect(ran).to.deep.equal([]);
  });
});
