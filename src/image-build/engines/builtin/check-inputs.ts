/** Owns what the builtin engine cannot do with a request, found before anything starts. */
import {TiltbuildError} from '../../../errors.ts';
import type {Ports} from '../../../ports.ts';
import type {BuildRequest} from '../../build-request.ts';
import {readCache} from '../../inputs/caches.ts';
import {findAgents} from './agents.ts';
import {type Env, valuesOf} from './frontend.ts';
import {nameContexts} from './sources.ts';

/** Throws `usage`. */
export async function checkInputs(
  request: BuildRequest,
  env: Env,
  ports: Pick<Ports, 'files' | 'builtin'>,
): Promise<void> {
  nameContexts(request, {files: ports.files, contexts: ports.builtin.contexts});
  await findAgents(valuesOf(request, '--ssh'), env, ports);
  for (const flag of ['--cache-from', '--cache-to'] as const) {
    if (readCache(flag, valuesOf(request, flag), env).some(({type}) => type === 'local')) {
      throw new TiltbuildError('usage', `${flag} type=local is not supported by the builtin engine.`, {
        remedy: ['Use a registry: type=registry,ref=NAME. A builder keeps its own cache anyway.'],
      });
    }
  }
}
