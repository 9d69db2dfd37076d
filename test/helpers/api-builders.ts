/** Owns builders that are there and ready before a test begins: ours, the plugin's, somebody else's. */
import {randomUUID} from 'node:crypto';
import {writeDeploymentStatus} from './api-deployment-status.ts';
import {withDefaults} from './api-deployments.ts';
import {applyFields, updateFields} from './api-managers.ts';
import {findObject, now, putObject, withMetadata} from './api-objects.ts';
import {pendingPod, readyPod} from './api-pods.ts';
import {makeReplicaSet} from './api-replica-sets.ts';
import {type ApiObject, builderDeployment, readBuilderRecording} from './api-samples.ts';
import type {ApiState} from './api-state.ts';

export interface BuilderOptions {
  readonly name?: string;
  readonly namespace?: string;
  readonly runtime?: 'containerd' | 'docker' | 'rootless';
  readonly kind: 'ours' | 'plugin' | 'foreign';
  readonly image?: string;
  readonly args?: readonly string[];
  /** Its buildkitd.toml. */
  readonly toml?: string;
}

export interface Builder {
  readonly deployment: ApiObject;
  readonly configMap: ApiObject;
  readonly replicaSet: ApiObject;
  readonly pod: ApiObject;
}

interface Mount {
  readonly name: string;
}
interface Spec {
  readonly selector: object;
  readonly template: {
    readonly spec: {
      readonly containers: readonly [
        {readonly volumeMounts: readonly Mount[]; readonly args: readonly string[]; readonly image: string},
      ];
      readonly volumes: readonly Mount[];
    };
  };
}

/** Ready, with its ConfigMap, ReplicaSet and pod. */
export function addBuilder(state: ApiState, options: BuilderOptions): Builder {
  const {name = 'buildkit', namespace = 'default', kind} = options;
  const deployment = makeDeployment({...options, name, namespace});
  const configMap = makeConfigMap({...options, name, namespace}, deployment.metadata.labels ?? {});
  putObject('configmaps', state, configMap);
  putObject('deployments', state, deployment);
  const set: ApiObject = {
    ...makeReplicaSet(deployment, kind === 'plugin' ? 'b489874cd' : '79697dc5cc', 1),
    status: {replicas: 1, readyReplicas: 1, availableReplicas: 1, observedGeneration: 1},
  };
  putObject('replicasets', state, set);
  const pod = readyPod(pendingPod(set, state.nodes[0]?.metadata.name ?? 'kind-control-plane'));
  putObject('pods', state, pod);
  writeDeploymentStatus(state, namespace, name, {replicaSet: set, pods: [pod], outcome: 'ready'});
  return {
    deployment: findObject('deployments', state, namespace, name) ?? deployment,
    configMap,
    replicaSet: set,
    pod,
  };
}

function makeDeployment(options: BuilderOptions & {name: string; namespace: string}): ApiObject {
  const {name, namespace, runtime = 'containerd', kind, image, args} = options;
  const recorded = builderDeployment({name, namespace, runtime: runtime === 'rootless' ? 'docker' : runtime});
  const spec = recorded.spec as Spec;
  const [container] = spec.template.spec.containers;
  const state = `/var/lib/buildkit/${kind === 'ours' ? `${namespace}-${name}` : name}`;
  // The socket of its own is what harms the node: ours is without it.
  const isSocket = (mount: Mount) => mount.name === 'containerd-sock';
  const keep = (mount: Mount) =>
    runtime === 'rootless' ? mount.name === 'buildkitd-config' : kind !== 'ours' || !isSocket(mount);
  const labels = {
    ...(recorded.metadata.labels as Record<string, string>),
    ...(runtime === 'rootless' && {rootless: 'true', runtime: 'docker', worker: 'runc'}),
    ...(kind === 'ours' && {
      'app.kubernetes.io/managed-by': 'kubectl-tiltbuild',
      ...(runtime !== 'containerd' && {worker: 'runc'}),
    }),
    ...(kind === 'foreign' && {'app.kubernetes.io/managed-by': 'Helm'}),
  };
  const own =
    runtime === 'containerd'
      ? ['--oci-worker=false', '--containerd-worker=true', '--root', state]
      : ['--oci-worker=true', '--containerd-worker=false'];
  const volumes = JSON.parse(
    JSON.stringify(spec.template.spec.volumes)
      .replaceAll('/var/lib/buildkit/buildkit', state)
      .replace('"configMap":{"name":"buildkit"', `"configMap":{"name":"${name}"`),
  ) as Mount[];
  const mounts = JSON.parse(
    JSON.stringify(container.volumeMounts).replaceAll('/var/lib/buildkit/buildkit', state),
  ) as Mount[];
  const {annotations = {}} = recorded.metadata;
  const {'buildkit.mobyproject.org/builder': adopted, ...others} = annotations;
  const made: ApiObject = {
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    metadata: {
      name,
      namespace,
      labels,
      annotations:
        kind === 'foreign' ? others : {'buildkit.mobyproject.org/builder': adopted ?? '', ...others},
    },
    spec: {
      ...(recorded.spec as object),
      ...(kind === 'ours' && {strategy: {type: 'Recreate'}}),
      template: {
        metadata: {labels},
        spec: {
          ...spec.template.spec,
          volumes: volumes.filter(keep),
          containers: [
            {
              ...container,
              image: image ?? (kind === 'ours' ? 'docker.io/moby/buildkit:v0.32.2' : container.image),
              args: args ?? own,
              volumeMounts: mounts.filter(keep),
              ...(runtime === 'rootless' && {securityContext: {runAsUser: 1000, runAsGroup: 1000}}),
            },
          ],
        },
      },
    },
  };
  return finish(withDefaults(made), kind, made);
}

function makeConfigMap(
  {name, namespace, kind, runtime = 'containerd', toml}: BuilderOptions & {name: string; namespace: string},
  labels: Readonly<Record<string, string>>,
): ApiObject {
  const {body} = readBuilderRecording('builder-by-plugin-configmap') as {body: ApiObject};
  const recorded = body.binaryData as {'buildkitd.toml': string};
  const socket = `\n[otel]\n  socketPath = "/var/lib/buildkit/${namespace}-${name}/otel-grpc.sock"\n`;
  const text =
    toml ??
    Buffer.from(recorded['buildkitd.toml'], 'base64').toString() +
      (kind === 'ours' && runtime !== 'rootless' ? socket : '');
  const made: ApiObject = {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: {
      name,
      namespace,
      labels,
      ...(kind !== 'foreign' && {annotations: body.metadata.annotations ?? {}}),
    },
    binaryData: {'buildkitd.toml': Buffer.from(text).toString('base64')},
  };
  return finish(made, kind, made);
}

/** As the server has it after who made it sent it. */
function finish(object: ApiObject, kind: BuilderOptions['kind'], sent: ApiObject): ApiObject {
  const manager = {ours: 'kubectl-tiltbuild', plugin: 'kubectl-build', foreign: 'helm'}[kind];
  const owned =
    kind === 'ours'
      ? (applyFields(undefined, sent, {manager, force: true}) as ApiObject)
      : updateFields(undefined, object, manager);
  return withMetadata(object, {
    uid: randomUUID(),
    creationTimestamp: now(),
    managedFields: owned.metadata.managedFields,
    ...(object.kind === 'Deployment' && {generation: 1}),
  });
}
