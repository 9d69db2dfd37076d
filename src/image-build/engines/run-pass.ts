/** Owns one pass of a build, whichever engine runs it: a watch on the builder beside it, and one retry. */
import {waitForBuilder} from '../../builder/ensure/wait-for-builder.ts';
import {watchBuilder} from '../../builder/ensure/watch-builder.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import type {BuildPass, PassResult} from '../build-passes.ts';
import type {PreparedBuild} from '../prepare-build.ts';
import type {Engine} from './engine.ts';

/** Throws `build-failed`, `digest-missing`, and the reason of a stop. */
export async function runPass(
  pass: BuildPass,
  engine: Engine,
  {builder, cluster}: PreparedBuild,
  ports: Ports,
): Promise<PassResult> {
  const {pods, request} = builder;
  const {namespace} = request.settings;
  for (let attempt = 1; ; attempt += 1) {
    const lost = new AbortController();
    let used: string | undefined;
    const onPod = (name: string) => {
      used = name;
    };
    const running = engine.run({pass, attempt, stop: lost.signal, onPod});
    // With the policy `never` the plugin alone is responsible for the builder.
    const watch = async () => {
      const exit = running.then(({kind}) => ({exitCode: kind === 'built' ? 0 : 1}));
      const loss = await watchBuilder({namespace, cluster, pods, used: () => used}, exit, ports);
      if (loss !== undefined) lost.abort();
      return loss;
    };
    const watching = request.policy === 'never' ? undefined : watch();
    // The build may end later, and may fail itself.
    watching?.catch(() => undefined);
    const ended = await running;
    const loss = await watching;
    // What comes next may meet other pods.
    pods.forget();

    if (ended.kind === 'built') return {digest: ended.digest, node: ended.node};
    const cause = loss ?? ended.fault;
    if (attempt === 2 || !cause?.retriable || !engine.isRepeatable) {
      if (cause === undefined) throw await ended.explain();
      const remedy = 'remedy' in cause ? cause.remedy : [];
      throw new TiltbuildError('build-failed', `The build failed. ${cause.message}`, {remedy});
    }
    ports.notes.note(`${cause.message} Your build did not cause this; retrying once.`);
    if (loss !== undefined) {
      const hasChoice = engine.name === 'builtin';
      await waitForBuilder(request, cluster, ports, {wasReady: true, hasChoice});
    }
  }
}
