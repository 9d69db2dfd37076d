/** Owns `doctor`: it looks at everything side by side, repairs the builder if asked to, and looks again. */
import {ensureBuilder} from '../builder/ensure/ensure-builder.ts';
import {PodList} from '../builder/ensure/pod-list.ts';
import {usualBuilderRequest} from '../builder/model/request.ts';
import {identify} from '../cluster/product.ts';
import {withCluster} from '../cluster/with-cluster.ts';
import {TiltbuildError} from '../errors.ts';
import type {Ports} from '../ports.ts';
import type {Surroundings} from '../surroundings.ts';
import {advise, flag} from '../text/advice.ts';
import {type Diagnosis, diagnose} from './diagnose.ts';
import type {DoctorRequest} from './doctor-request.ts';
import {lookAtCluster} from './look-at-cluster.ts';
import {lookAtPrograms} from './look-at-programs.ts';
import type {Report} from './report.ts';

export async function runDoctor(
  request: DoctorRequest,
  surroundings: Surroundings,
  ports: Ports,
): Promise<Report> {
  const {report, repair} = await look(request, surroundings, ports);
  if (!request.fix) return report;
  if (repair === undefined) {
    ports.notes.note(advise`nothing was changed: there is nothing that ${flag('fix')} can repair.`);
    return report;
  }
  if (!request.yes && !(await ports.confirm(`${repair} [y/N] `))) {
    ports.notes.note(
      advise`nothing was changed. To repair without a question: ${flag('fix')} ${flag('yes')}`,
    );
    return report;
  }
  await repairBuilder(request, surroundings, ports);
  return (await look(request, surroundings, ports)).report;
}

async function look(request: DoctorRequest, surroundings: Surroundings, ports: Ports): Promise<Diagnosis> {
  const [programs, sight] = await Promise.all([
    lookAtPrograms(request.limit, ports),
    lookAtCluster(request, surroundings, ports),
  ]);
  return diagnose(request, programs, sight, surroundings);
}

/** Does what a build would do, and no more: a builder that a build leaves alone stays. The next look shows a failure. */
async function repairBuilder(
  {builder, connection}: DoctorRequest,
  surroundings: Surroundings,
  ports: Ports,
): Promise<void> {
  try {
    await withCluster(connection, surroundings, ports, async ({target, byNames, cluster}) => {
      const facts = await cluster.read({builders: true, nodes: 'all'});
      const {product} = identify(facts, byNames);
      const request = usualBuilderRequest({name: builder.name, namespace: target.namespace, product});
      const {toolVersion} = surroundings;
      const pods = new PodList(request.settings, cluster);
      await ensureBuilder({request, product, facts, cluster, pods, toolVersion}, ports);
    });
  } catch (error) {
    if (!(error instanceof TiltbuildError)) throw error;
    ports.notes.note(advise`${flag('fix')} failed. ${error.message}`);
    for (const line of error.detail) ports.notes.note(line);
  }
}
