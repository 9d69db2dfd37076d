/** Owns the diagnosis: all that was seen becomes a report, and a check that another one rules out waits for that one. */
import {planBuilder} from '../builder/ensure/create-builder.ts';
import {foreseeReplicas} from '../builder/manifest/count-replicas.ts';
import {createCommand} from '../builder/model/builder.ts';
import {listKnownBuilders, type ObservedBuilder, observeBuilder} from '../builder/model/observed-builder.ts';
import {type BuilderPlan, usualBuilderRequest} from '../builder/model/request.ts';
import {BUILDER_PERMISSIONS, findObstacle, missingPermissions} from '../builder/verdict/permissions.ts';
import type {ClusterFacts} from '../cluster/api/facts.ts';
import type {ObjectPlace} from '../cluster/api/paths.ts';
import {type Identified, identify} from '../cluster/product.ts';
import {TiltbuildError} from '../errors.ts';
import type {Surroundings} from '../surroundings.ts';
import {advise} from '../text/advice.ts';
import type {DoctorRequest} from './doctor-request.ts';
import {type BuilderSight, findRepair, judgeBuilder} from './judge-builder.ts';
import {judgeNodes, judgeProduct, judgePullSecret} from './judge-cluster.ts';
import {judgeKubeconfig, judgePermissions, judgeServer, judgeUser} from './judge-connection.ts';
import {INSTALL_KUBECTL, judgeEngine, judgePrograms} from './judge-programs.ts';
import type {ClusterReading, ClusterSight} from './look-at-cluster.ts';
import type {ProgramFacts} from './look-at-programs.ts';
import {type CheckName, type Finding, makeReport, type Report} from './report.ts';
import {judgeImages} from './stuck-images.ts';

export interface Diagnosis {
  readonly report: Report;
  /** What `--fix` would do, as a question; undefined if there is nothing that it can do. */
  readonly repair?: string;
}

export function diagnose(
  request: DoctorRequest,
  programs: ProgramFacts,
  sight: ClusterSight,
  {toolVersion, env}: Pick<Surroundings, 'toolVersion' | 'env'>,
): Diagnosis {
  const {build} = programs;
  if (sight.kind === 'no-target') {
    const local = {
      ...judgePrograms(programs, {needed: false}),
      engine: judgeEngine(request.engine, {build, env}),
    };
    return {report: makeReport({...local, kubeconfig: judgeKubeconfig(sight.error)}, 'kubeconfig')};
  }
  const {target, version, reading, byNames} = sight;
  // With the default limit of 3 s: a second.
  const server = judgeServer(version, reading, {target, byNames, slow: request.limit / 3});
  const user = judgeUser(reading, target);
  const seen = {
    ...judgePrograms(programs, {
      server: version.kind === 'seen' ? version.value : undefined,
      needed: reading.kind === 'failed' && reading.error.code === 'tool-missing',
    }),
    engine: judgeEngine(request.engine, {build, env}),
    kubeconfig: judgeKubeconfig(target),
    server,
    user,
  };
  if (reading.kind !== 'seen') {
    const product = byNames.product === 'unknown' ? undefined : judgeProduct(byNames);
    return {report: makeReport({...seen, product}, findGround(server, user))};
  }

  const {facts, userName} = reading.value;
  const {namespace} = target;
  const {name} = request.builder;
  const identified = identify(facts, byNames);
  const {deployment, nodes} = observeBuilder(facts, name);
  const product = judgeProduct(identified, (deployment?.readyReplicas ?? 0) > 0);
  const place = {name, namespace};
  const usual = usualBuilderRequest({...place, product: identified.product});
  const planned = foreseeReplicas(usual.settings, identified.product, nodes ?? []);
  const isVisible = facts.deployments?.kind !== 'forbidden';
  const builder = isVisible ? seeBuilder(place, identified, programs, reading.value, toolVersion) : undefined;
  const report = makeReport(
    {
      ...seen,
      engine: judgeEngine(request.engine, {build, env}, deployment?.replicas ?? planned),
      rights: judgePermissions(facts, place, userName),
      product,
      nodes: judgeNodes(nodes, {rootless: deployment?.rootless === true, disks: reading.value.disks}),
      builder: builder && judgeBuilder(builder),
      'pull-secret': judgePullSecret(request.pullSecret, facts, namespace),
      images: judgeImages(reading.value.stuckImages),
    },
    'rights',
  );
  return {report, repair: builder && product.mark !== 'fail' ? findRepair(builder) : undefined};
}

function seeBuilder(
  place: ObjectPlace,
  {product}: Identified,
  {kubectl}: ProgramFacts,
  reading: ClusterReading,
  toolVersion: string,
): BuilderSight {
  const {facts} = reading;
  const observed = observeBuilder(facts, place.name);
  const plan = {request: usualBuilderRequest({...place, product}), product, toolVersion};
  return {
    ...reading,
    ...place,
    product,
    observed,
    others: listKnownBuilders(facts)
      .map(({name}) => name)
      .filter((name) => name !== place.name),
    cannotCreate: kubectl === undefined ? noKubectl() : findWhyNotCreated(plan, observed.nodes, facts.rules),
    obstacle: findObstacle(facts),
  };
}

function noKubectl(): TiltbuildError {
  return new TiltbuildError('tool-missing', 'kubectl is not on PATH.', {remedy: [INSTALL_KUBECTL]});
}

/** The error of a build that has to create a builder; undefined if it could. */
function findWhyNotCreated(
  plan: BuilderPlan,
  nodes: ObservedBuilder['nodes'],
  rules: ClusterFacts['rules'],
): TiltbuildError | undefined {
  const {settings} = plan.request;
  const missing = missingPermissions(rules, BUILDER_PERMISSIONS, settings.name);
  if (missing.length > 0) {
    return new TiltbuildError('cluster-denied', `you do not have permission to ${missing.join(', ')}.`, {
      remedy: [advise`Ask somebody who has it to run: ${createCommand(settings)}`],
    });
  }
  try {
    planBuilder(plan, nodes);
    return undefined;
  } catch (error) {
    if (error instanceof TiltbuildError) return error;
    throw error;
  }
}

/** The check to fix first. */
function findGround(server: Finding, user: Finding): CheckName {
  if (server.mark === 'fail') return 'server';
  if (server.mark === 'skipped') return 'kubectl';
  return user.mark === 'fail' ? 'user' : 'server';
}
