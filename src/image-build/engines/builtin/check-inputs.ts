/** Owns what the builtin engine cannot do with a request, found before anything starts. */
import type {Ports} from '../../../ports.ts';
import type {BuildRequest} from '../../build-request.ts';
import {readCache} from '../../inputs/caches.ts';
import {checkDirectory} from '../../inputs/outputs.ts';
import {findAgents} from './agents.ts';
import {type Env, valuesOf} from './frontend.ts';
import {nameContexts} from './sources.ts';

/** Throws `usage`. */
export async function checkInputs(
  request: BuildRequest,
  env: Env,
  ports: Pick<Ports, 'files' | 'builtin'>,
): Promise<void> {
  const {openBlobs, contexts} = ports.builtin;
  await nameContexts(request, {files: ports.files, contexts, openBlobs, stores: new Map()});
  await findAgents(valuesOf(request, '--ssh'), env, ports);
  for (const {type, attributes} of readCache('--cache-to', valuesOf(request, '--cache-to'), env)) {
    if (type === 'local') checkDirectory('--cache-to', attributes.get('dest') ?? '', ports.files);
  }
}
