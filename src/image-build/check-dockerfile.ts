/** Owns the use case `--check`: BuildKit checks a Dockerfile, and nothing is built. */
import {ensureBuilder} from '../builder/ensure/ensure-builder.ts';
import type {Ports} from '../ports.ts';
import type {Surroundings} from '../surroundings.ts';
import type {BuildRequest} from './build-request.ts';
import type {DockerfileCheck} from './dockerfile-check.ts';
import {runPass} from './engines/run-pass.ts';
import {prepareBuild} from './prepare-build.ts';

/** Throws what a build throws. */
export async function checkDockerfile(
  request: BuildRequest,
  surroundings: Surroundings,
  ports: Ports,
): Promise<DockerfileCheck> {
  const preparation = {
    attempt: async <T>(step: () => T | Promise<T>) => await step(),
    staging: {disk: ports.files, input: ports.input},
  };
  return await prepareBuild(request, surroundings, ports, preparation, async (build) => {
    await ensureBuilder(build.builder, ports);
    const {checker} = await import('./engines/builtin/checker.ts');
    const {promise, resolve} = Promise.withResolvers<DockerfileCheck>();
    const engine = checker(build, ports, resolve);
    await runPass({number: 1, request: build.request, tags: []}, engine, build, ports).finally(engine.close);
    return await promise;
  });
}
