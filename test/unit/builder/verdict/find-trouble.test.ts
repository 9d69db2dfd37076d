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
import type {Trouble, TroubleInput} from '../../../../src/builder/verdict/trouble.ts';
import {formatAdvice} from '../../../../src/text/advice.ts';
import {readApiRecording} from '../../../helpers/api-samples.ts';
import {readContainer as container, readEvent, readPod, stuck} from '../builder-world.ts';

/** The recordings leave out the Deployment's metadata. */
function recorded(name: string): TroubleInput {
  const {deployment, pods, events, logs} = stuck(name);
  const metadata = {name: name === 'lock' ? 'buildkit' : 'own', namespace: 'stuck', generation: 1};
  return {
    deployment: readBuilderDeployment({...deployment, metadata}),
    pods: readPods(pods),
    events: readEvents(events),
    log: logs,
  };
}

const remedyOf = (trouble: Trouble | undefined) =>
  trouble?.remedy.map((entry) => formatAdvice(entry)).join('\n');
const REPLACE = 'kubectl tiltbuild builder create own --replace --namespace stuck';

describe('findTrouble, in what was recorded', () => {
  for (const [name, message, remedy, final] of [
    [
      'image',
      /^The builder's image \S+\/nope:1 cannot be pulled: failed to resolve image: failed to do request: Head ".*": http: server gave HTTP response to HTTPS client$/,
      '--builder-image',
      true,
    ],
    [
      'podsecurity',
      /^Namespace "stuck" enforces the Pod Security standard "restricted", which forbids the builder's pod: forbidden: violates PodSecurity/,
      'kubectl label namespace stuck pod-security.kubernetes.io/enforce=privileged',
      true,
    ],
    [
      'quota',
      /^A quota or limit of namespace "stuck" forbids the builder's pod: forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0$/,
      'kubectl describe resourcequota,limitrange --namespace stuck',
      true,
    ],
    [
      'unschedulable-cpu',
      /^No node can run the builder's pod: 0\/1 nodes are available: 1 Insufficient cpu\.$/,
      "lower the builder's resource requests",
      false,
    ],
    [
      'unschedulable-selector',
      /^No node can run the builder's pod: 0\/1 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector\.$/,
      'node selector',
      false,
    ],
    [
      'hostpath',
      /^The builder needs a path that node "\?" does not have: \/run\/k3s\/containerd is not a directory\.$/,
      REPLACE,
      true,
    ],
    ['crash', /^BuildKit in pod "own-64d6f87dc7-b9hb4" exited with code 1\.$/, '--previous', true],
    [
      'lock',
      /^The builder's pod "buildkit-b489874cd-bznpt" cannot start: another builder on node "\?" holds \/var\/lib\/buildkit\/buildkit\/buildkitd\.lock\.$/,
      'kubectl tiltbuild builder create buildkit --replace --namespace stuck',
      true,
    ],
  ] as const) {
    it(`names ${name}`, () => {
      const trouble = findTrouble(recorded(name));
      expect(trouble?.final).to.equal(final);
      expect(trouble?.message).to.match(message);
      expect(remedyOf(trouble)).to.contain(remedy);
      expect(trouble?.isImage === true).to.equal(name === 'image');
      expect(trouble?.crashedPod !== undefined).to.equal(name === 'crash');
    });
  }

  it('needs the log of the pod to find a lock', () => {
    const trouble = findTrouble({...recorded('lock'), log: undefined});
    expect(trouble?.crashedPod).to.equal('buildkit-b489874cd-bznpt');
  });

  it('takes a pod without a node for final where no node will join', () => {
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

const pod = (changes: Partial<BuilderPod> = {}) =>
  readPod({
    phase: 'Pending',
    ready: false,
    containers: [container({waitingReason: 'ContainerCreating'})],
    ...changes,
  });
const event = (changes: Partial<BuilderEvent> = {}) =>
  readEvent('FailedMount', 'hostPath type check failed: /x is not a directory', changes);

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

const end = (reason: string, exitCode: number, message = '') => ({reason, exitCode, message});

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
      'the trouble of a pod that is being deleted',
      {pods: [pod({deleting: true, unschedulable: '0/1 nodes'})]},
    ],
    [
      'the trouble of an older ReplicaSet',
      {pods: [pod({owner: 'b-0', createdAt: 1, unschedulable: '0/1 nodes'}), pod({uid: 'u2'})]},
    ],
  ] as const) {
    it(`finds none in ${what}`, () => expect(find(input)).to.equal(undefined));
  }

  const crash = (reason: string, exitCode: number, message = '') => ({
    pods: [down({restartCount: 1, lastTerminated: end(reason, exitCode, message)})],
  });
  const seen = (changes: Partial<BuilderEvent>) => ({pods: [pod()], events: [event(changes)]});
  for (const [words, final, what, input] of [
    ['is scaled to 0', true, 'a Deployment of no pods', {deployment: {...DEPLOYMENT, replicas: 0}}],
    ['"n" does not have: /x', true, 'a missing host path', seen({})],
    [
      'does not have: /x',
      true,
      'a host path, by the name of a pod without an ID',
      {pods: [pod({uid: ''})], events: [event()]},
    ],
    [
      'cannot be mounted',
      false,
      'a ConfigMap that is not there yet',
      seen({message: 'configmap "b" not found'}),
    ],
    ['"n" cannot create', false, 'a node without a network', seen({reason: 'FailedCreatePodSandBox'})],
    ['ended before', false, 'a pod that was evicted', {pods: [pod({phase: 'Failed', reason: 'Evicted'})]}],
    ['cannot start: x', false, 'a bad container', {pods: [pulling('CreateContainerError', 'x')]}],
    ['image i cannot be pulled', true, 'a denied image', {pods: [pulling('ErrImagePull', 'access denied')]}],
    ['cannot be pulled', true, 'an image that must not be pulled', {pods: [pulling('ErrImageNeverPull')]}],
    ['cannot be pulled', true, 'a bad name', {pods: [pulling('InvalidImageName', 'invalid format')]}],
    [
      'cannot be pulled',
      false,
      'a slow registry',
      {pods: [pulling('ErrImagePull', 'dial tcp: i/o timeout')]},
    ],
    ['cannot be pulled', false, 'a busy one', {pods: [pulling('ImagePullBackOff', '429 Too Many Requests')]}],
    ['exited with code 2.', false, 'a first crash', {pods: [down({terminated: end('Error', 2)})]}],
    ['exited with code 2.', true, 'a second crash', crash('Error', 2)],
    [
      'holds /l.',
      true,
      'a lock in its last words',
      crash('Error', 1, 'could not lock /l, another instance?'),
    ],
    ['out of memory', true, 'too little memory', crash('OOMKilled', 137)],
    [
      'A quota',
      false,
      'a quota that others use up',
      {events: [refusal('exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3')]},
    ],
    [
      'A quota',
      false,
      'a quota of cpu',
      {events: [refusal('exceeded quota: q, requested: cpu=1, used: cpu=0,memory=1Gi, limited: cpu=0')]},
    ],
    [
      'A quota',
      true,
      'a quota without defaults',
      {events: [refusal('failed quota: q: must specify limits')]},
    ],
    [
      'or limit',
      true,
      'a limit range',
      {events: [refusal('maximum cpu usage per Container is 1, but is 2')]},
    ],
    [
      'security context constraints',
      true,
      'OpenShift',
      {events: [refusal('unable to validate against any security context constraint: []')]},
    ],
    ['rejects', true, 'a webhook', {events: [refusal('admission webhook "x" denied the request: no')]}],
    ['rejects', false, 'a new namespace', {events: [refusal('error looking up service account ns/default')]}],
  ] as const) {
    it(`names ${what}`, () => {
      const trouble = find(input);
      expect(trouble?.message).to.contain(words);
      expect(trouble?.final).to.equal(final);
    });
  }

  for (const [what, unschedulable, pods] of [
    ['a node that is only starting', '0/1 nodes are available: 1 node(s) had untolerated taint(s).', []],
    ['no node yet', 'no nodes available to schedule pods', []],
    [
      'an old pod that is being deleted',
      "1 node(s) didn't match pod anti-affinity rules",
      [pod({deleting: true})],
    ],
  ] as const) {
    it(`goes on waiting for ${what}`, () => {
      const trouble = find({pods: [pod({unschedulable, containers: []}), ...pods], fixedNodes: true});
      expect(trouble?.message).to.contain('No node can run');
      expect(trouble?.final).to.equal(false);
    });
  }

  it("gives the cause of a pull that fails from the attempt's event where the state has none", () => {
    const failed = readEvent(
      'Failed',
      'Failed to pull image "i": rpc error: code = NotFound desc = failed to pull and unpack image "i": not found',
    );
    const trouble = find({
      pods: [pulling('ImagePullBackOff', 'Back-off pulling image "i"')],
      events: [failed],
    });
    expect(trouble?.message).to.equal(`The builder's image i cannot be pulled on node "n": not found`);
  });

  it('mentions a login only if the registry requires one', () => {
    const remedy = (message: string) => remedyOf(find({pods: [pulling('ErrImagePull', message)]}));
    expect(remedy('401 Unauthorized')).to.contain('secret');
    expect(remedy('manifest unknown')).not.to.contain('secret');
  });

  it('has the first line of the log of a crash', () => {
    const pods = [down({restartCount: 3, lastTerminated: end('Error', 1)})];
    expect(find({pods, log: '\nbuildkitd: flag provided but not defined: -x\nmain.main'})?.message).to.equal(
      'BuildKit in pod "b-1-x" exited with code 1: buildkitd: flag provided but not defined: -x',
    );
  });
});

describe('describeWaiting', () => {
  const note = (message: string, changes: Partial<BuilderEvent> = {}) =>
    event({type: 'Normal', reason: 'Pulling', message, ...changes});
  for (const [line, pods, events] of [
    ['waiting for its pod', [], []],
    ['waiting for pod b-1-x to stop', [pod({deleting: true})], []],
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
      'waiting for a node that can run it: 0/1 nodes are available: 1 Insufficient cpu.',
      [
        pod({
          unschedulable:
            '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available',
        }),
      ],
      [],
    ],
    ['waiting for BuildKit in pod b-1-x to answer', [pod({containers: [container({running: true})]})], []],
    ['waiting for BuildKit in pod b-1-x to restart', [down({})], []],
    ['pod b-1-x is ready', [pod({ready: true})], []],
  ] as const) {
    it(`says "${line}"`, () => {
      expect(describeWaiting({pods: pods as readonly BuilderPod[], events})).to.equal(line);
    });
  }

  it('is short for every recording', () => {
    for (const name of ['crash', 'hostpath', 'image', 'lock', 'podsecurity', 'quota', 'unschedulable-cpu']) {
      expect(describeWaiting(recorded(name))).to.match(/^(waiting for|starting|pulling) [^\n]{1,120}$/);
    }
  });
});
