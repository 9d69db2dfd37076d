/** Covers the wait for a BuildKit that says nothing: its limit, which holds for all pods together, and its error. */
import {type Duplex, duplexPair} from 'node:stream';
import {expect} from 'chai';
import {TiltbuildError} from '../../../../../src/errors.ts';
import {describeFailure} from '../../../../../src/image-build/engines/builtin/failure.ts';
import {onBuilder} from '../../../../../src/image-build/engines/builtin/open-builder.ts';
import type {GrpcError} from '../../../../../src/wire/grpc/status.ts';
import {catchError, hintsOf} from '../../../../helpers/caught.ts';
import {list, makePorts, pod, scriptCluster} from '../../../builder/builder-world.ts';
import {preparedBuild} from '../../build-world.ts';

const SOLVE = {
  frontend: undefined,
  attributes: new Map(),
  entitlements: [],
  exporters: [],
  cacheExports: [],
  cacheImports: [],
};

/** One attempt to build on pods that say nothing. Gives its error, and the streams to the pods that were asked. */
async function buildOn(
  names: readonly string[],
  patience: {readonly each: number; readonly all: number},
  isOpened = true,
) {
  const streams: Duplex[] = [];
  const silent = () => {
    const [client] = duplexPair();
    streams.push(client);
    return client;
  };
  const pods = [list(...names.map((name) => pod({name})))];
  const scripted = scriptCluster({get: {pods}, tunnel: silent});
  const openTunnel = () => {
    silent();
    return new Promise<never>(() => undefined);
  };
  const cluster = isOpened ? scripted : {...scripted, openTunnel};
  const build = preparedBuild({cluster});
  const ports = makePorts();
  const builtin = {
    ...ports.builtin,
    machine: async () => 'm',
    random: (size: number) => new Uint8Array(size),
  };
  const work: Parameters<typeof onBuilder>[3] = async ({client, tunnel}, {stop}) => {
    const error = await catchError(client.solve(SOLVE, {onStatus: () => undefined, signal: stop}));
    return await describeFailure(error as GrpcError, {steps: [], tunnel, build, files: ports.files});
  };
  const engine = onBuilder(build, {outputs: [], stores: new Map()}, {...ports, builtin}, work, patience);
  const run = {pass: {} as never, attempt: 1, stop: new AbortController().signal, onPod: () => undefined};
  const error = await catchError(engine.run(run));
  if (!(error instanceof TiltbuildError)) throw error;
  return {error, streams};
}

describe('a BuildKit that says nothing', () => {
  for (const [what, isOpened] of [
    ['though the connection to it is open', true],
    ['because the API server does not connect to it', false],
  ] as const) {
    it(`is given up, ${what}, with an error that is not retried`, async () => {
      const {error, streams} = await buildOn(['p'], {each: 10_000, all: 20}, isOpened);
      expect(error.code).to.equal('builder-failed');
      expect(error.message).to.equal(
        'BuildKit in pod "p" of the builder "buildkit" did not answer within 0.02 s.',
      );
      expect(hintsOf(error).split('\n')).to.deep.equal([
        'Ask it by hand: kubectl exec --namespace default p -- buildctl debug workers',
        'If that hangs as well, recreate the builder: kubectl tiltbuild builder create buildkit --replace --namespace default',
      ]);
      expect(streams.map(({destroyed}) => destroyed)).to.deep.equal([isOpened]);
    });
  }

  it('is given up in all pods at the limit for them together', async () => {
    const {error, streams} = await buildOn(['p', 'q', 'r'], {each: 10_000, all: 20});
    expect(error.message).to.match(/^BuildKit in pod "[pqr]" .* did not answer/);
    expect(streams).to.have.length(1);
  });
});
