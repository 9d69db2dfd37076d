/** Covers the wait for a BuildKit that says nothing: its limit for all pods together, its error, and what it leaves alone. */
import {type Duplex, duplexPair} from 'node:stream';
import {expect} from 'chai';
import {TiltbuildError} from '../../../../../src/errors.ts';
import {describeFailure} from '../../../../../src/image-build/engines/builtin/failure.ts';
import {type OpenBuilder, onBuilder} from '../../../../../src/image-build/engines/builtin/open-builder.ts';
import {PATIENCE} from '../../../../../src/image-build/engines/builtin/reach-pod.ts';
import type {EngineEnd} from '../../../../../src/image-build/engines/engine.ts';
import type {GrpcError} from '../../../../../src/wire/grpc/status.ts';
import {BuildkitStandIn} from '../../../../helpers/buildkit-stand-in.ts';
import {catchError, hintsOf} from '../../../../helpers/caught.ts';
import {list, makePorts, pod, scriptCluster} from '../../../builder/builder-world.ts';
import {DIGEST, preparedBuild} from '../../build-world.ts';

const SOLVE = {
  frontend: 'dockerfile.v0',
  attributes: new Map([['context', 'https://git.example/web.git']]),
  entitlements: [],
  exporters: [{type: 'image', attributes: new Map()}],
  cacheExports: [],
  cacheImports: [],
};

/** One attempt to build on pods of these names, in a time that passes when the test wants it. */
function prepare(names: readonly string[], connect: () => Promise<Duplex>) {
  const limits = new Map<number, AbortController>();
  const dialled: string[] = [];
  const {promise: dialling, resolve: onDial} = Promise.withResolvers<void>();
  const cluster = {
    ...scriptCluster({get: {pods: [list(...names.map((name) => pod({name})))]}}),
    openTunnel: async ({pod: name}: {readonly pod: string}) => {
      dialled.push(name);
      onDial();
      const stream = await connect();
      const end = {exitCode: undefined, failure: 'it was closed', stderr: ''};
      return {stream, ended: new Promise<typeof end>((resolve) => stream.once('close', () => resolve(end)))};
    },
  };
  const build = preparedBuild({cluster});
  const ports = makePorts();
  const {files} = ports;
  const random = (size: number) => new Uint8Array(size);
  const builtin = {...ports.builtin, random, machine: async () => 'm'};
  const solve = async ({client, tunnel}: OpenBuilder): Promise<EngineEnd> => {
    const watch = {onStatus: () => undefined, signal: new AbortController().signal};
    const error = await client.solve(SOLVE, watch).then(
      () => undefined,
      (thrown: GrpcError) => thrown,
    );
    if (error === undefined) return {kind: 'built', digest: DIGEST, node: undefined};
    return await describeFailure(error, {steps: [], tunnel, build, files});
  };
  const timeout = (milliseconds: number) => {
    const limit = new AbortController();
    limits.set(milliseconds, limit);
    return limit.signal;
  };
  return {
    dialled,
    dialling,
    pass: (milliseconds: number) => limits.get(milliseconds)?.abort(new Error('too late')),
    start: async (then = async (_opened: OpenBuilder): Promise<void> => undefined) => {
      const work = async (opened: OpenBuilder) => {
        const end = await solve(opened);
        await then(opened);
        return end;
      };
      const served = {outputs: [], stores: new Map()};
      const stop = new AbortController().signal;
      const engine = onBuilder(build, served, {...ports, builtin}, work, timeout);
      try {
        return await engine.run({pass: {} as never, attempt: 1, stop, onPod: () => undefined});
      } finally {
        await engine.close();
      }
    },
  };
}

describe('a BuildKit', () => {
  const silent = async () => duplexPair()[0];
  const unreached = () => new Promise<never>(() => undefined);
  for (const [what, names, connect] of [
    ['says nothing', ['p'], silent],
    ['is not connected to', ['p'], unreached],
    ['says nothing in any of three pods', ['p', 'q', 'r'], silent],
  ] as const) {
    it(`that ${what} is given up at the limit, with an error that is not retried`, async () => {
      const {start, pass, dialled, dialling} = prepare(names, connect);
      const failing = catchError(start());
      await Promise.race([failing, dialling]);
      pass(PATIENCE.all);
      const error = await failing;
      if (!(error instanceof TiltbuildError)) throw error;
      expect(dialled).to.have.length(1);
      expect(error.code).to.equal('builder-failed');
      expect(error.message).to.equal(
        `BuildKit in pod "${dialled[0]}" of the builder "buildkit" did not answer within ${PATIENCE.all / 1000} s.`,
      );
      expect(hintsOf(error).split('\n')).to.deep.equal([
        `Ask it by hand: kubectl exec --namespace default ${dialled[0]} -- buildctl debug workers`,
        'If that hangs as well, recreate the builder: kubectl tiltbuild builder create buildkit --replace --namespace default',
      ]);
    });
  }

  it('that has answered keeps its connection for longer than each limit', async () => {
    const buildkit = new BuildkitStandIn(DIGEST);
    const {start, pass, dialled} = prepare(['p', 'q'], async () => buildkit.connect());
    const end = await start(async ({tunnel}) => {
      pass(PATIENCE.each);
      pass(PATIENCE.all);
      await new Promise(setImmediate);
      expect(tunnel.stream.destroyed).to.equal(false);
    });
    expect(end).to.include({kind: 'built', digest: DIGEST});
    expect(dialled).to.have.length(1);
    expect(buildkit.complaints).to.deep.equal([]);
  });
});
