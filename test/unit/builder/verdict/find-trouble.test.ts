/**
 * Covers why a builder does not start. test/fixtures/builder-troubles.txt has what is made of each recording of a real
 * cluster; `UPDATE_GOLDEN=1` writes that file.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
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

const golden = join(import.meta.dirname, '../../../fixtures/builder-troubles.txt');
const RECORDED = [
  ...['image', 'podsecurity', 'quota', 'hostpath', 'crash', 'lock'],
  ...['unschedulable-cpu', 'unschedulable-selector'],
];

describe('findTrouble, in what was recorded', () => {
  it('is what the file has, with what to do, and what the builder waits for until then', () => {
    const texts = RECORDED.map((name) => {
      const {message, remedy, ...rest} = findTrouble(recorded(name)) ?? expect.fail(name);
      const shown = [message, ...remedy.map((entry) => formatAdvice(entry)), JSON.stringify(rest)];
      return [`── ${name}: ${describeWaiting(recorded(name))}`, ...shown, ''].join('\n');
    });
    if (process.env.UPDATE_GOLDEN) writeFileSync(golden, texts.join(''));
    expect(texts.join('')).to.equal(readFileSync(golden, 'utf8'));
  });

  it('needs the log of the pod to find a lock', () => {
    const trouble = findTrouble({...recorded('lock'), log: undefined});
    expect(trouble?.crashedPod).to.equal('buildkit-b489874cd-bznpt');
  });

  it('takes a pod without a node for final where no node will join', () => {
    for (const name of ['unschedulable-cpu', 'unschedulable-selector'])
      expect(findTrouble({...recorded(name), fixedNodes: true})).to.include({final: true});
  });
});

const DEPLOYMENT: BuilderDeployment = {
  ...readBuilderDeployment(readApiRecording('builder-by-plugin').body),
  ...{name: 'b', namespace: 'ns', readyReplicas: 0, createdAt: 1000, changedAt: 1000, conditions: []},
};

const holding = (changes: Partial<BuilderContainer>) =>
  readPod({phase: 'Pending', ready: false, containers: [container(changes)]});
const pod = (changes: Partial<BuilderPod> = {}) => ({
  ...holding({waitingReason: 'ContainerCreating'}),
  ...changes,
});
const event = (changes: Partial<BuilderEvent> = {}) =>
  readEvent('FailedMount', 'hostPath type check failed: /x is not a directory', changes);
const note = (message: string, changes: Partial<BuilderEvent> = {}) =>
  event({type: 'Normal', reason: 'Pulling', message, ...changes});
const end = (reason: string, exitCode: number, message = '') => ({reason, exitCode, message});
const down = (changes: Partial<BuilderContainer>) => holding({waitingReason: 'CrashLoopBackOff', ...changes});

// Situations.
const only = (...pods: readonly BuilderPod[]) => ({pods});
const seen = (changes: Partial<BuilderEvent>) => ({pods: [pod()], events: [event(changes)]});
const pulling = (waitingReason: string, waitingMessage = '') =>
  only(holding({waitingReason, waitingMessage}));
const crashed = (reason: string, exitCode: number, message?: string) =>
  only(down({restartCount: 1, lastTerminated: end(reason, exitCode, message)}));
const refused = (message: string, changes: Partial<BuilderEvent> = {}) => {
  const object = {kind: 'ReplicaSet', name: 'b-1', uid: 'r'};
  const text = `Error creating: pods "b-1-y" is forbidden: ${message}`;
  return {events: [event({reason: 'FailedCreate', message: text, object, ...changes})]};
};

const find = (input: Partial<TroubleInput>) =>
  findTrouble({deployment: DEPLOYMENT, pods: [], events: [], ...input});

describe('findTrouble', () => {
  const noNode = {unschedulable: '0/1 nodes'};
  const again = {running: true, restartCount: 1, lastTerminated: end('Error', 1)};
  const failure = {type: 'ReplicaFailure', status: 'True', reason: '', message: 'exceeded quota'};
  const ofTwo = {kind: 'ReplicaSet', name: 'b-two-1', uid: ''};
  for (const [what, input] of [
    ['nothing yet', {}],
    ['a pod that is being created', only(pod())],
    ['a pod that pulls', seen({type: 'Normal', reason: 'Pulling'})],
    ['a pod that is not ready yet', only(holding({running: true}))],
    ['a pod that crashed once and runs again', only(holding(again))],
    ['a ready pod beside one in trouble', only(pod({ready: true}), pod({uid: 'u2', ...noNode}))],
    ['an event of another pod', seen({object: {kind: 'Pod', name: 'b-1-x', uid: 'u0'}})],
    ['an event of nothing', seen({object: {kind: '', name: '', uid: ''}})],
    [
      'a mount that failed before the image was pulled',
      {pods: [pod()], events: [note('', {lastSeen: 5000}), event()]},
    ],
    ['the refusal of an earlier attempt', refused('exceeded quota: q', {lastSeen: 500})],
    ['the refusal of another Deployment', refused('exceeded quota', {object: ofTwo})],
    ['a refusal that has passed', {...refused('exceeded quota: q'), pods: [pod()]}],
    ['a failure of an older generation', {deployment: {...DEPLOYMENT, generation: 3, conditions: [failure]}}],
    ['the trouble of a pod that is being deleted', only(pod({deleting: true, ...noNode}))],
    [
      'the trouble of an older ReplicaSet',
      only(pod({owner: 'b-0', createdAt: 1, ...noNode}), pod({uid: 'u2'})),
    ],
  ] as const) {
    it(`finds none in ${what}`, () => expect(find(input)).to.equal(undefined));
  }

  const usedUp = 'exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3';
  const tooMuch = 'exceeded quota: q, requested: cpu=1, used: cpu=0,memory=1Gi, limited: cpu=0';
  const noAccount = (name: string) =>
    `error looking up service account ns/${name}: serviceaccount "${name}" not found`;
  const constraints = 'unable to validate against any security context constraint: []';
  for (const [words, final, what, input] of [
    ['is scaled to 0', true, 'a Deployment of no pods', {deployment: {...DEPLOYMENT, replicas: 0}}],
    ['"n" does not have: /x', true, 'a missing host path', seen({})],
    ['have: /x', true, 'it by the name of a pod without an ID', {...seen({}), pods: [pod({uid: ''})]}],
    ['mounted: configmap', false, 'a ConfigMap to come', seen({message: 'configmap "b" not found'})],
    ['"n" cannot create', false, 'a node without a network', seen({reason: 'FailedCreatePodSandBox'})],
    ['ended before', false, 'a pod that was evicted', only(pod({phase: 'Failed', reason: 'Evicted'}))],
    ['cannot start: x', false, 'a bad container', pulling('CreateContainerError', 'x')],
    ['image i cannot be pulled', true, 'a denied image', pulling('ErrImagePull', 'access denied')],
    ['cannot be pulled', true, 'an image that must not be pulled', pulling('ErrImageNeverPull')],
    ['cannot be pulled', true, 'a bad name', pulling('InvalidImageName', 'invalid format')],
    ['cannot be pulled', false, 'a slow registry', pulling('ErrImagePull', 'dial tcp: i/o timeout')],
    ['cannot be pulled', false, 'a busy one', pulling('ImagePullBackOff', '429 Too Many Requests')],
    ['exited with code 2.', false, 'a first crash', only(down({terminated: end('Error', 2)}))],
    ['exited with code 2.', true, 'a second crash', crashed('Error', 2)],
    ['code 1: x -y', true, 'the first line of its log', {...crashed('Error', 1), log: '\nx -y\nmain.main'}],
    [
      'not accept its buildkitd.toml: toml: x',
      true,
      'settings of yours',
      crashed('Error', 1, 'toml: x\nmain'),
    ],
    ['holds /l.', true, 'a lock in its last words', crashed('Error', 1, 'could not lock /l, another?')],
    ['out of memory', true, 'too little memory', crashed('OOMKilled', 137)],
    ['A quota', false, 'a quota that others use up', refused(usedUp)],
    ['A quota', false, 'a quota of cpu', refused(tooMuch)],
    ['A quota', true, 'a quota without defaults', refused('failed quota: q: must specify limits')],
    [
      'snapshotter "native"',
      true,
      'a snapshotter',
      crashed('Error', 1, 'x: snapshotter not loaded: native: invalid argument'),
    ],
    ['or limit', true, 'a limit range', refused('maximum cpu usage per Container is 1, but is 2')],
    ['security context constraints', true, 'OpenShift', refused(constraints)],
    ['rejects', true, 'a webhook', refused('admission webhook "x" denied the request: no')],
    ['rejects', false, 'a new namespace', refused(noAccount('default'))],
    ['no service account "ci"', true, 'a missing service account', refused(noAccount('ci'))],
    [
      'priority class "p"',
      true,
      'a missing priority class',
      refused('no PriorityClass with name p was found'),
    ],
  ] as const) {
    it(`names ${what}`, () => {
      const trouble = find(input);
      expect(trouble?.message).to.contain(words);
      expect(trouble?.final).to.equal(final);
    });
  }

  it('waits as long as another pod may become ready, and not for pods that all cannot', () => {
    const stuck = crashed('Error', 2).pods;
    const other = stuck.map((one) => ({...one, uid: 'u2', name: 'b-1-y'}));
    expect(find({pods: [...stuck, ...other]})?.final).to.equal(true);
    expect(find({pods: [...stuck, pod({uid: 'u2', name: 'b-1-y'})]})).to.include({final: false});
  });

  for (const [what, unschedulable, ...others] of [
    ['a node that is only starting', '0/1 nodes are available: 1 node(s) had untolerated taint(s).'],
    ['no node yet', 'no nodes available to schedule pods'],
    ['an old pod that is being deleted', '1 node(s) matched no anti-affinity rules', pod({deleting: true})],
  ] as const) {
    it(`goes on waiting for ${what}`, () => {
      const trouble = find({pods: [pod({unschedulable, containers: []}), ...others], fixedNodes: true});
      expect(trouble?.message).to.contain('No node can run');
      expect(trouble?.final).to.equal(false);
    });
  }

  const notShared = 'failed to generate spec: path "/tmp" is mounted on "/tmp" but it is not a shared mount';
  const ofDocker = 'linux mounts: path /run/k3s is mounted on / but it is not a shared mount';
  for (const [product, node, remedy] of [
    ['colima', 'colima', 'colima ssh -- sudo mount --make-rshared /'],
    ['colima', 'colima-work', 'colima ssh --profile work -- sudo mount --make-rshared /'],
    ['rancher-desktop', 'lima-rancher-desktop', 'rdctl shell sudo mount --make-rshared /'],
    ['minikube', 'minikube', 'minikube ssh -- sudo mount --make-rshared /'],
    ['minikube', 'minikube-m02', 'minikube ssh --node minikube-m02 -- sudo mount --make-rshared /'],
    ['minikube', 'work-m03', 'minikube ssh --profile work --node work-m03 -- sudo mount --make-rshared /'],
    ['kind', 'kind-worker', 'docker exec kind-worker mount --make-rshared /'],
    ['k3s', 'k3s-server', 'docker exec k3s-server mount --make-rshared /'],
    ['unknown', 'k0s', 'docker exec k0s mount --make-rshared /'],
    ['microk8s', 'box', 'sudo mount --make-rshared /'],
    [undefined, 'box', 'sudo mount --make-rshared /'],
  ] as const) {
    it(`shares the mounts of ${node} (${product}) with a command of that product`, () => {
      const failing = {...holding({waitingReason: 'CreateContainerError', waitingMessage: notShared}), node};
      const ended = holding({terminated: end('StartError', 128, ofDocker)});
      const seen = {
        pods: [{...pod(), node}],
        events: [event({reason: 'Failed', message: `Error: ${notShared}`})],
      };
      for (const input of [{pods: [failing]}, {pods: [{...ended, node}]}, seen]) {
        const trouble = find({...input, product});
        expect(trouble).to.include({final: true});
        expect(trouble?.message).to.contain(`Node "${node}" does not share its mount of /`);
        expect(trouble?.remedy.map((one) => formatAdvice(one)).join('\n')).to.contain(remedy);
      }
    });
  }

  it("gives the cause of a pull that fails from the attempt's event where the state has none", () => {
    const cause = 'rpc error: code = NotFound desc = failed to pull and unpack image "i": not found';
    const events = [readEvent('Failed', `Failed to pull image "i": ${cause}`)];
    const trouble = find({...pulling('ImagePullBackOff', 'Back-off pulling image "i"'), events});
    expect(trouble?.message).to.equal(`The builder's image i cannot be pulled on node "n": not found`);
  });

  it('mentions a login only if the registry requires one', () => {
    const remedy = (message: string) =>
      find(pulling('ErrImagePull', message))
        ?.remedy.map((one) => formatAdvice(one))
        .at(-1);
    expect(remedy('401 Unauthorized')).to.contain('--image-pull-secret');
    expect(remedy('manifest unknown')).to.contain('--image IMAGE');
  });
});

describe('describeWaiting', () => {
  it('does not take a pod that is not counted yet for one that is to stop', () => {
    const deployment = {...DEPLOYMENT, updatedReplicas: 0};
    expect(describeWaiting({deployment, pods: [pod()], events: []})).to.equal('waiting for its pod');
  });

  const image = 'docker.io/moby/buildkit:v0.32.2';
  const present = note('Container image "i" already present', {reason: 'Pulled', lastSeen: 4000});
  for (const [line, pods, ...events] of [
    ['waiting for its pod', []],
    ['waiting for pod b-1-x to stop', [pod({deleting: true})]],
    ['starting pod b-1-x on node n', [pod({name: 'evicted', phase: 'Failed', createdAt: 9000}), pod()]],
    ['starting pod b-1-x on node n', [pod()]],
    [`pulling ${image} on node n`, [pod()], note(`Pulling image "${image}"`)],
    ['starting pod b-1-x on node n', [pod()], present, note('Pulling image "i"')],
    ['starting pod b-1-x', [pod({node: undefined})]],
    ['waiting for a node that can run it: no.', [pod({unschedulable: 'no. preemption: 0/1 nodes'})]],
    ['waiting for BuildKit in pod b-1-x to answer', [holding({running: true})]],
    ['waiting for node n to report', [{...holding({running: true}), nodeSilent: true}]],
    ['waiting for BuildKit in pod b-1-x to restart', [down({})]],
    ['pod b-1-x is ready', [pod({ready: true})]],
  ] as const) {
    it(`says "${line}"`, () =>
      expect(describeWaiting({deployment: DEPLOYMENT, pods, events})).to.equal(line));
  }
});
