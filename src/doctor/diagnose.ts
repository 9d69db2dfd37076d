/** Owns the diagnosis: what was seen becomes a report, and a check whose ground is gone waits for that of the other. */
import {planBuilder} from '../builder/ensure/make-builder.ts';
import {listKnownBuilders, type ObservedBuilder, observeBuilder} from '../builder/ensure/observed-builder.ts';
import {isRootless} from '../builder/model/marks.ts';
import {usualBuilderRequest} from '../builder/model/request.ts';
import {findObstacle} from '../builder/verdict/demand-rights.ts';
import {BUILDER_RIGHTS, formatRight, missingRights} from '../builder/verdict/rights.ts';
import type {Product} from '../cluster/product.ts';
import {identify, isLocalCluster} from '../cluster/product.ts';
import {TiltbuildError} from '../errors.ts';
import type {DoctorRequest} from './doctor-request.ts';
import {type BuilderSight, findRepair, judgeBuilder} from './judge-builder.ts';
import {judgeNodes, judgeProduct, judgePullSecret} from './judge-cluster.ts';
import {judgeKubeconfig, judgeRights, judgeServer, judgeUser} from './judge-connection.ts';
import {judgeBuild, judgeBuildkit, judgeKubectl, judgePath, judgeTilt} from './judge-programs.ts';
import type {ClusterReading, ClusterSight} from './look-at-cluster.ts';
import type {ProgramFacts} from './look-at-programs.ts';
import {type CheckName, type Finding, type Findings, makeReport, type Report, skip} from './report.ts';

type OnCluster = 'user' | 'rights' | 'product' | 'nodes' | 'builder' | 'pull-secret';
type ClusterFindings = Pick<Findings, OnCluster>;
type Target = Extract<ClusterSight, {kind: 'target'}>;

export interface Diagnosis {
  readonly report: Report;
  /** What `--fix` would do, as a question. */
  readonly repair: string | undefined;
}

export function diagnose(
  request: DoctorRequest,
  programs: ProgramFacts,
  sight: ClusterSight,
  toolVersion: string,
): Diagnosis {
  const failed = sight.kind === 'target' && sight.reading.kind === 'failed' ? sight.reading.error : undefined;
  const version = sight.kind === 'target' && sight.version.kind === 'seen' ? sight.version.value : '';
  const builder = findBuilderSight(request, programs, sight, toolVersion);
  const report = makeReport({
    kubectl: judgeKubectl(programs.kubectl, {
      server: version || undefined,
      needed: failed?.code === 'tool-missing',
    }),
    build: judgeBuild(programs.build),
    buildkit: judgeBuildkit(programs.buildkit),
    path: judgePath(programs),
    tilt: judgeTilt(programs.tilt),
    ...judgeSight(request, sight, builder),
  });
  const isRefused = report.checks.some(({name, mark}) => name === 'product' && mark === 'fail');
  return {report, repair: builder === undefined || isRefused ? undefined : findRepair(builder)};
}

function judgeSight(
  request: DoctorRequest,
  sight: ClusterSight,
  builder: BuilderSight | undefined,
): ClusterFindings & Pick<Findings, 'kubeconfig' | 'server'> {
  if (sight.kind === 'no-target') {
    const kubeconfig = judgeKubeconfig(sight.error);
    return {kubeconfig, server: skip('kubeconfig'), ...skipAll('kubeconfig')};
  }
  const {target, version, reading, byNames} = sight;
  // With the default limit of 3 s: a second.
  const slow = request.limit / 3;
  const server = judgeServer(version, reading, {target, byNames, slow});
  const common = {kubeconfig: judgeKubeconfig(target), server, user: judgeUser(reading, target)};
  if (reading.kind === 'seen') {
    return {...common, ...judgeReading(request, sight, reading.value, builder)};
  }
  const ground = findGround(server, common.user);
  return {
    ...skipAll(ground),
    ...common,
    ...(byNames.product !== 'unknown' && {product: judgeProduct(byNames)}),
  };
}

function judgeReading(
  {builder: {name}, pullSecret}: DoctorRequest,
  {target: {namespace}, byNames}: Target,
  {facts, rules, userName}: ClusterReading,
  builder: BuilderSight | undefined,
): Omit<ClusterFindings, 'user'> {
  const refused = facts.deployments?.kind === 'forbidden';
  const {deployment, nodes} = observeBuilder(facts, name);
  return {
    rights: judgeRights({rules, refused, userName, namespace, builder: name}),
    product: judgeProduct(identify(facts, byNames)),
    nodes: judgeNodes(nodes, {rootless: deployment !== undefined && isRootless(deployment.labels)}),
    builder: builder === undefined ? skip('rights') : judgeBuilder(builder),
    'pull-secret': judgePullSecret(pullSecret, facts, namespace),
  };
}

/** Undefined where no builder can be seen. */
function findBuilderSight(
  {builder: {name}}: DoctorRequest,
  programs: ProgramFacts,
  sight: ClusterSight,
  toolVersion: string,
): BuilderSight | undefined {
  if (sight.kind !== 'target' || sight.reading.kind !== 'seen') return undefined;
  const {target, byNames, reading} = sight;
  const {facts, rules} = reading.value;
  if (facts.deployments?.kind === 'forbidden') return undefined;
  const {product} = identify(facts, byNames);
  const {namespace} = target;
  const observed = observeBuilder(facts, name);
  const making = {name, namespace, product, observed, rules, toolVersion};
  return {
    ...reading.value,
    name,
    namespace,
    product,
    fixedNodes: isLocalCluster(product),
    observed,
    others: listKnownBuilders(facts)
      .map((deployment) => deployment.name)
      .filter((other) => other !== name),
    unmakeable: findWhyUnmakeable(programs, making),
    obstacle: findObstacle({...facts, rules}),
  };
}

interface Making {
  readonly name: string;
  readonly namespace: string;
  readonly product: Product;
  readonly observed: ObservedBuilder;
  readonly rules: ClusterReading['rules'];
  readonly toolVersion: string;
}

/** What a build that has to make a builder would fail with. */
function findWhyUnmakeable(
  {kubectl}: ProgramFacts,
  {name, namespace, product, observed, rules, toolVersion}: Making,
): TiltbuildError | undefined {
  if (kubectl === undefined) {
    return new TiltbuildError('tool-missing', 'kubectl is not on PATH.', {
      remedy: ['Install kubectl: https://kubernetes.io/docs/tasks/tools/'],
    });
  }
  const missing = rules === undefined ? [] : missingRights(rules, BUILDER_RIGHTS, name).map(formatRight);
  if (missing.length > 0) {
    return new TiltbuildError('cluster-denied', `you may not ${missing.join(', ')}.`, {
      remedy: [
        `Have somebody who may run: kubectl tiltbuild builder create ${name} --namespace ${namespace}`,
      ],
    });
  }
  const request = usualBuilderRequest({name, namespace, product});
  try {
    planBuilder({request, product, toolVersion}, observed.nodes);
    return undefined;
  } catch (error) {
    if (error instanceof TiltbuildError) return error;
    throw error;
  }
}

/** The check that has to be cured first. */
function findGround(server: Finding, user: Finding): CheckName {
  if (server.mark === 'fail') return 'server';
  if (server.mark === 'skipped') return 'kubectl';
  return user.mark === 'fail' ? 'user' : 'server';
}

function skipAll(ground: CheckName): ClusterFindings {
  const skipped = skip(ground);
  return {
    user: skipped,
    rights: skipped,
    product: skipped,
    nodes: skipped,
    builder: skipped,
    'pull-secret': skipped,
  };
}
