/** Covers why a builder does not start, against what a real cluster showed in each case. */
import {expect} from 'chai';
import {type BuilderDeployment, readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import {
  type BuilderContainer,
  type BuilderEvent,
  type BuilderPod,
  readEvents,
  readPods,
} from '../../../../src/builder/model/pods.ts';
import {describeWaiting, findTrouble} from '../../../../src/builder/verdict/find-trouble.ts';
import type {TroubleInput} from '../../../../src/builder/verdict/trouble.ts';
import {readApiRecording, readBuilderRecording} from '../../../helpers/api-samples.ts';

interface Stuck {
  readonly deployment: {readonly status: object; readonly spec?: object};
  readonly pods: readonly object[];
  readonly events: readonly object[];
  readonly logs?: string;
}

function stuck(name: string): Stuck {
  return readBuilderRecording(`stuck-${name}`) as Stuck;
}

/** The recordings leave out the Deployment's metadata. */
function recorded(name: string): TroubleInput & {log?: string} {
  const {deployment, pods, events, logs} = stuck(name);
  const metadata = {name: name === 'lock' ? 'buildkit' : 'own', namespace: 'stuck', generation: 1};
  return {
    deployment: readBuilderDeployment({...deployment, metadata}),
    pods: readPods(pods),
    events: readEvents(events),
    ...(logs !== undefined && {log: logs}),
  };
}

const REPLACE = 'kubectl tiltbuild builder create own --replace --namespace stuck';

describe('findTrouble, in what was recorded', () => {
  for (const [name, kind, message, remedy, final] of [
    [
      'image',
      'image',
      /^The builder's image \S+\/nope:1 cannot be pulled: failed to resolve image: failed to do request: Head ".*": http: server gave HTTP response to HTTPS client$/,
      '--builder-image',
      true,
    ],
    [
      'podsecurity',
      'pod-security',
      /^Namespace "stuck" enforces the Pod Security standard "restricted", which forbids the builder's pod: forbidden: violates PodSecurity/,
      'kubectl label namespace stuck pod-security.kubernetes.io/enforce=privileged',
      true,
    ],
    [
      'quota',
      'quota',
      /^A quota or limit of namespace "stuck" forbids the builder's pod: forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0$/,
      'kubectl describe resourcequota,limitrange --namespace stuck',
      true,
    ],
    [
      'unschedulable-cpu',
      'unschedulable',
      /^No node takes the builder's pod: 0\/1 nodes are available: 1 Insufficient cpu\.$/,
      'lower what the builder requests',
      false,
    ],
    [
      'unschedulable-selector',
      'unschedulable',
      /^No node takes the builder's pod: 0\/1 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector\.$/,
      'node selector',
      false,
    ],
    [
      'hostpath',
      'host-path',
      /^The builder wants a file of node "\?" that is not there: \/run\/k3s\/containerd is not a directory\.$/,
      REPLACE,
      true,
    ],
    [
      'crash',
      'crash',
      /^BuildKit in pod "own-64d6f87dc7-b9hb4" ended with exit code 1\.$/,
      '--previous',
      true,
    ],
    [
      'lock',
      'lock',
      /^The builder's pod "buildkit-b489874cd-bznpt" cannot start, because another builder on node "\?" holds \/var\/lib\/buildkit\/buildkit\/buildkitd\.lock\.$/,
      'kubectl tiltbuild builder create buildkit --replace --namespace stuck',
      true,
    ],
  ] as const) {
    it(`names ${name}`, () => {
      const trouble = findTrouble(recorded(name));
      expect(trouble).to.include({kind, final});
      expect(trouble?.message).to.match(message);
      expect(trouble?.remedy.join('\n')).to.contain(remedy);
    });
  }

  it('knows the lock only by the log, and asks for it by the name of the pod', () => {
    const {log: _, ...input} = recorded('lock');
    expect(findTrouble(input)).to.include({kind: 'crash', pod: 'buildkit-b489874cd-bznpt'});
  });

  it('takes a pod that cannot be placed for final where no node will join', () => {
    for (const name of ['unschedulable-cpu', 'unschedulable-selector']) {
      expect(findTrouble({...recorded(name), fixedNodes: true})).to.include({final: true});
    }
  });
});

const DEPLOYMENT: BuilderDeployment = {
  ...readBuilderDeployment(readApiRecording('builder-by-plugin').body),
  name: 'b',
  namespace: 'ns',
  readyReplicas: 0,
  createdAt: 1000,
};

function container(changes: Partial<BuilderContainer> = {}): BuilderContainer {
  return {name: 'buildkitd', image: 'i', imageId: '', running: false, restartCount: 0, ...changes};
}

function pod(changes: Partial<BuilderPod> = {}): BuilderPod {
  return {
    name: 'b-1-x',
    uid: 'u1',
    phase: 'Pending',
    ready: false,
    nodeSilent: false,
    owner: 'b-1',
    node: 'n',
    createdAt: 2000,
    containers: [container({waitingReason: 'ContainerCreating'})],
    ...changes,
  };
}

function event(changes: Partial<BuilderEvent> = {}): BuilderEvent {
  return {
    type: 'Warning',
    reason: 'FailedMount',
    message: 'hostPath type check failed: /x is not a directory',
    object: {kind: 'Pod', name: 'b-1-x', uid: 'u1'},
    count: 1,
    lastSeen: 3000,
    ...changes,
  };
}

const refusal = (message: string, changes: Partial<BuilderEvent> = {}) =>
  event({
    reason: 'FailedCreate',
    message: `Error creating: pods "b-1-y" is forbidden: ${message}`,
    object: {kind: 'ReplicaSet', name: 'b-1', uid: 'r'},
    ...changes,
  });

function find(input: Partial<TroubleInput>) {
  return findTrouble({deployment: {...DEPLOYMENT, conditions: []}, pods: [], events: [], ...input});
}

const down = (changes: Partial<BuilderContainer>) =>
  pod({phase: 'Running', containers: [container({waitingReason: 'CrashLoopBackOff', ...changes})]});

const end = (reason: string, exitCode: number, message?: string) => ({
  reason,
  exitCode,
  ...(message !== undefined && {message}),
});

const pulling = (waitingReason: string, waitingMessage = '') =>
  pod({containers: [container({waitingReason, waitingMessage})]});

describe('findTrouble', () => {
  for (const [what, input] of [
    ['nothing yet', {}],
    ['a pod that is being created', {pods: [pod()]}],
    ['a pod that pulls', {pods: [pod()], events: [event({type: 'Normal', reason: 'Pulling'})]}],
    ['a pod that is not ready yet', {pods: [pod({containers: [container({running: true})]})]}],
    [
      'a pod that crashed once and runs again',
      {
        pods: [
          pod({
            containers: [container({running: true, restartCount: 1, lastTerminated: end('Error', 1)})],
          }),
        ],
      },
    ],
    [
      'a ready pod beside one in trouble',
      {pods: [pod({ready: true}), pod({uid: 'u2', unschedulable: '0/1 nodes'})]},
    ],
    [
      'an event of another pod',
      {pods: [pod()], events: [event({object: {kind: 'Pod', name: 'b-1-x', uid: 'u0'}})]},
    ],
    ['an event of nothing', {pods: [pod()], events: [event({object: {kind: '', name: '', uid: ''}})]}],
    [
      'a mount that failed before the image was pulled',
      {pods: [pod()], events: [event({lastSeen: 5000, type: 'Normal', reason: 'Pulling'}), event()]},
    ],
    ['the refusal of an earlier attempt', {events: [refusal('exceeded quota: q', {lastSeen: 500})]}],
    [
      'the refusal of another Deployment',
      {events: [refusal('exceeded quota', {object: {kind: 'ReplicaSet', name: 'b-two-1', uid: ''}})]},
    ],
    ['a refusal that has passed', {pods: [pod()], events: [refusal('exceeded quota: q')]}],
    [
      'a failure of an older generation',
      {
        deployment: {
          ...DEPLOYMENT,
          generation: 3,
          conditions: [{type: 'ReplicaFailure', status: 'True', reason: '', message: 'exceeded quota'}],
        },
      },
    ],
    [
      'the trouble of a pod that is on its way out',
      {pods: [pod({deletionTimestamp: 1, unschedulable: '0/1 nodes'})]},
    ],
    [
      'the trouble of an older ReplicaSet',
      {pods: [pod({owner: 'b-0', createdAt: 1, unschedulable: '0/1 nodes'}), pod({uid: 'u2'})]},
    ],
  ] as const) {
    it(`finds none in ${what}`, () => expect(find(input)).to.equal(undefined));
  }

  for (const [what, input, kind, final] of [
    ['a Deployment of no pods', {deployment: {...DEPLOYMENT, replicas: 0}}, 'scaled-to-zero', true],
    ['a missing host path', {pods: [pod()], events: [event()]}, 'host-path', true],
    [
      'a host path, by the name of the pod where there is no ID',
      {pods: [pod({uid: ''})], events: [event()]},
      'host-path',
      true,
    ],
    [
      'a ConfigMap that is not there yet',
      {pods: [pod()], events: [event({message: 'configmap "b" not found'})]},
      'config',
      false,
    ],
    [
      'a node without a network',
      {pods: [pod()], events: [event({reason: 'FailedCreatePodSandBox'})]},
      'sandbox',
      false,
    ],
    ['a pod that was evicted', {pods: [pod({phase: 'Failed', reason: 'Evicted'})]}, 'evicted', false],
    ['a container that cannot be made', {pods: [pulling('CreateContainerError')]}, 'container', false],
    ['a refused image', {pods: [pulling('ErrImagePull', 'pull access denied')]}, 'image', true],
    ['an image that must not be pulled', {pods: [pulling('ErrImageNeverPull')]}, 'image', true],
    ['a bad name', {pods: [pulling('InvalidImageName', 'invalid reference format')]}, 'image', true],
    ['a slow registry', {pods: [pulling('ErrImagePull', 'dial tcp: i/o timeout')]}, 'image', false],
    [
      'a registry that is busy',
      {pods: [pulling('ImagePullBackOff', '429 Too Many Requests')]},
      'image',
      false,
    ],
    ['a first crash', {pods: [down({terminated: end('Error', 2)})]}, 'crash', false],
    ['a second crash', {pods: [down({restartCount: 1, lastTerminated: end('Error', 2)})]}, 'crash', true],
    [
      'a lock that the end tells of',
      {
        pods: [
          down({
            restartCount: 1,
            lastTerminated: end('Error', 1, 'buildkitd: could not lock /l, another instance running?'),
          }),
        ],
      },
      'lock',
      true,
    ],
    [
      'too little memory',
      {pods: [down({restartCount: 1, lastTerminated: end('OOMKilled', 137)})]},
      'out-of-memory',
      true,
    ],
    [
      'a quota that others use up',
      {events: [refusal('exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3')]},
      'quota',
      false,
    ],
    [
      'a quota of cpu',
      {events: [refusal('exceeded quota: q, requested: cpu=1, used: cpu=0,memory=1Gi, limited: cpu=0')]},
      'quota',
      false,
    ],
    [
      'a quota that wants limits',
      {events: [refusal('failed quota: q: must specify limits.cpu')]},
      'quota',
      true,
    ],
    [
      'a limit range',
      {events: [refusal('maximum cpu usage per Container is 1, but limit is 2')]},
      'quota',
      true,
    ],
    [
      'OpenShift',
      {events: [refusal('unable to validate against any security context constraint: []')]},
      'pod-security',
      true,
    ],
    ['a webhook', {events: [refusal('admission webhook "x" denied the request: no')]}, 'admission', true],
    [
      'a new namespace',
      {events: [refusal('error looking up service account ns/default')]},
      'admission',
      false,
    ],
  ] as const) {
    it(`names ${what}`, () => expect(find(input)).to.include({kind, final}));
  }

  for (const [what, unschedulable, pods] of [
    ['a node that is only starting', '0/1 nodes are available: 1 node(s) had untolerated taint(s).', []],
    ['no node yet', 'no nodes available to schedule pods', []],
    [
      'an old pod that is on its way out',
      "1 node(s) didn't match pod anti-affinity rules",
      [pod({deletionTimestamp: 1})],
    ],
  ] as const) {
    it(`goes on waiting for ${what}`, () => {
      const trouble = find({pods: [pod({unschedulable, containers: []}), ...pods], fixedNodes: true});
      expect(trouble).to.include({kind: 'unschedulable', final: false});
    });
  }

  it("gives the cause of a pull that fails from the attempt's event where the state has none", () => {
    const failed = event({
      reason: 'Failed',
      message:
        'Failed to pull image "i": rpc error: code = NotFound desc = failed to pull and unpack image "i": not found',
    });
    const trouble = find({
      pods: [pulling('ImagePullBackOff', 'Back-off pulling image "i"')],
      events: [failed],
    });
    expect(trouble?.message).to.equal(`The builder's image i cannot be pulled on node "n": not found`);
  });

  it('tells of a login only where the registry wants one', () => {
    const cure = (message: string) => find({pods: [pulling('ErrImagePull', message)]})?.remedy.join();
    expect(cure('401 Unauthorized')).to.contain('secret');
    expect(cure('manifest unknown')).not.to.contain('secret');
  });

  it('says what the log says of a crash', () => {
    const pods = [down({restartCount: 3, lastTerminated: end('Error', 1)})];
    expect(find({pods, log: '\nbuildkitd: flag provided but not defined: -x\nmain.main'})?.message).to.equal(
      'BuildKit in pod "b-1-x" ended with exit code 1: buildkitd: flag provided but not defined: -x',
    );
  });
});

describe('describeWaiting', () => {
  const note = (message: string, changes: Partial<BuilderEvent> = {}) =>
    event({type: 'Normal', reason: 'Pulling', message, ...changes});
  for (const [line, pods, events] of [
    ["waiting for the builder's pod", [], []],
    ['waiting for pod b-1-x to end', [pod({deletionTimestamp: 1})], []],
    ['starting pod b-1-x on node n', [pod()], []],
    [
      'pulling docker.io/moby/buildkit:v0.32.2 on node n',
      [pod()],
      [note('Pulling image "docker.io/moby/buildkit:v0.32.2"')],
    ],
    [
      'starting pod b-1-x on node n',
      [pod()],
      [
        note('Container image "i" already present', {reason: 'Pulled', lastSeen: 4000}),
        note('Pulling image "i"'),
      ],
    ],
    ['starting pod b-1-x', [pod({node: undefined})], []],
    [
      'waiting for a node that takes the builder: 0/1 nodes are available: 1 Insufficient cpu.',
      [
        pod({
          unschedulable:
            '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available',
        }),
      ],
      [],
    ],
    ['waiting for BuildKit in pod b-1-x to answer', [pod({containers: [container({running: true})]})], []],
    ['waiting for BuildKit in pod b-1-x to be started again', [down({})], []],
    ['pod b-1-x is ready', [pod({ready: true})], []],
  ] as const) {
    it(`says "${line}"`, () => {
      expect(describeWaiting({pods: pods as readonly BuilderPod[], events})).to.equal(line);
    });
  }

  it('says something short for every recording', () => {
    for (const name of ['crash', 'hostpath', 'image', 'lock', 'podsecurity', 'quota', 'unschedulable-cpu']) {
      expect(describeWaiting(recorded(name))).to.match(/^(waiting for|starting|pulling) [^\n]{1,120}$/);
    }
  });
});
