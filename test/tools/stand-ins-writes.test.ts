/** Owns the proof that the stand-in cluster can be written to, watched and run commands in, by the real kubectl. */
import {request} from 'node:https';
import {join} from 'node:path';
import {expect} from 'chai';
import {readBuilderRecording} from '../helpers/api-samples.ts';
import {
  type ApiServer,
  addBuilder,
  type BuilderOutcome,
  node,
  startApiServer,
} from '../helpers/api-server.ts';
import {type Ended, runCommand} from '../helpers/programs.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';
import {makeSandbox, type Sandbox} from '../helpers/sandbox.ts';

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const APPLY = ['apply', '--server-side', '--force-conflicts', '--field-manager=kubectl-tiltbuild', '-f', '-'];

describe('the stand-in cluster', () => {
  let sandbox: Sandbox;
  let api: ApiServer;

  beforeEach(async () => {
    sandbox = await makeSandbox();
    api = await startApiServer({state: {nodes: [node()]}});
    sandbox.writeKubeconfig(api.kubeconfig({auth: 'token', directory: sandbox.root}));
  });
  afterEach(async () => {
    await api.close();
    sandbox.remove();
  });

  const kubectl = (args: readonly string[], stdin?: string): Promise<Ended> =>
    runCommand(join(realKubectlDirectory(), 'kubectl'), args, {
      env: sandbox.env,
      cwd: sandbox.work,
      ...(stdin !== undefined && {stdin}),
    });
  const run = (line: string, stdin?: string) => kubectl(line.split(' '), stdin);

  /** A plain request; a stream is read until it ends. */
  const call = (method: string, path: string, body?: unknown, contentType = 'application/json') =>
    // biome-ignore lint/suspicious/noExplicitAny: JSON of known shape.
    new Promise<{status: number | undefined; body: any; text: string}>((resolve, reject) => {
      const headers = {Authorization: `Bearer ${api.token}`, 'Content-Type': contentType};
      const sent = request(`${api.url}${path}`, {ca: api.authority, method, headers}, async (response) => {
        const text = (await response.setEncoding('utf8').toArray()).join('');
        const json = text.startsWith('{') && !text.includes('\n') ? JSON.parse(text) : undefined;
        resolve({status: response.statusCode, body: json, text});
      });
      sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
    });

  const labels = {app: 'b', runtime: 'containerd', worker: 'containerd', rootless: 'false'};
  const configMap = {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'b', labels}, data: {a: 'b'}};
  const deployment = ({image = 'x:1', app = 'b', spec = {}} = {}) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name: 'b', labels},
    spec: {
      replicas: 1,
      selector: {matchLabels: {app}},
      strategy: {type: 'Recreate'},
      template: {
        metadata: {labels: {...labels, app}},
        spec: {containers: [{name: 'buildkitd', image, args: ['--x'], ...spec}]},
      },
    },
  });
  const manifest = (...objects: object[]) => objects.map((object) => JSON.stringify(object)).join('\n---\n');
  const current = () => api.state.deployments[0];
  const eventReasons = () => api.state.events.map(({reason}) => reason);

  describe('writing', () => {
    it('applies with the default validation, waits, and changes nothing the second time', async () => {
      const both = manifest(configMap, deployment());
      const applied = await kubectl(APPLY, both);
      expect(applied).to.include({
        exitCode: 0,
        stdout: 'configmap/b serverside-applied\ndeployment.apps/b serverside-applied\n',
        stderr: '',
      });
      expect(await run('rollout status deployment/b --timeout=10s')).to.include({exitCode: 0});
      expect((await run('wait --for=condition=Available deployment/b --timeout=10s')).stdout).to.equal(
        'deployment.apps/b condition met\n',
      );
      const patch = api.requests.find(
        ({method, path}) => method === 'PATCH' && path.endsWith('/deployments/b'),
      );
      expect(patch?.query).to.deep.equal({
        fieldManager: 'kubectl-tiltbuild',
        fieldValidation: 'Strict',
        force: 'true',
      });
      expect(patch?.body).to.have.nested.property('spec.strategy.type', 'Recreate');
      const before = current();
      await kubectl(APPLY, both);
      expect(current()).to.deep.equal(before);
      expect(before?.metadata).to.include({generation: 1});
      expect(before?.metadata.managedFields).to.have.nested.property('[0].manager', 'kubectl-tiltbuild');
    });

    it('drops what was applied before and is not any more, and leaves what others set', async () => {
      const path = `${DEPLOYMENTS}/b?fieldManager=me&force=true`;
      const type = 'application/apply-patch+yaml';
      await call('PATCH', path, deployment({spec: {command: ['sh']}}), type);
      await run('annotate deployment b who=other');
      await call('PATCH', path, deployment(), type);
      expect(current()?.spec).to.not.have.nested.property('template.spec.containers[0].command');
      expect(current()?.metadata.annotations).to.include({who: 'other'});
      expect(current()?.metadata.generation).to.equal(2);
    });

    it('refuses another selector, rolling parameters with Recreate, and fields of others without force', async () => {
      addBuilder(api.state, {kind: 'plugin', name: 'b'});
      expect((await kubectl(APPLY, manifest(deployment()))).stderr).to.equal(
        'The Deployment "b" is invalid: spec.strategy.rollingUpdate: ' +
          "Forbidden: may not be specified when strategy `type` is 'Recreate'\n",
      );
      const conflict = await kubectl(
        ['apply', '--server-side', '--field-manager=me', '-f', '-'],
        manifest(deployment()),
      );
      expect(conflict.stderr).to.contain('conflicts with "kubectl-build" using apps/v1');
      expect(conflict.exitCode).to.equal(1);
      const replaced = await kubectl(['replace', '-f', '-'], manifest(deployment({app: 'c'})));
      expect(replaced.stderr).to.contain('spec.selector: Invalid value').and.contain('field is immutable');
    });

    it('keeps the volumes of others when applied over, and none when replaced', async () => {
      addBuilder(api.state, {kind: 'plugin', name: 'b'});
      const rolling = {...deployment(), spec: {...deployment().spec, strategy: undefined}};
      expect(await kubectl(APPLY, manifest(rolling))).to.include({exitCode: 0, stderr: ''});
      expect(JSON.stringify(current())).to.contain('containerd-sock');
      // A status that changes between kubectl's read and its write is a conflict, as on any cluster.
      await run('rollout status deployment/b --timeout=10s');
      expect(await kubectl(['replace', '-f', '-'], manifest(deployment()))).to.include({
        exitCode: 0,
        stderr: '',
      });
      expect(JSON.stringify(current()?.spec)).to.not.contain('containerd-sock');
    });

    it('creates once, replaces, and not from a stale version', async () => {
      const both = manifest(configMap, deployment());
      expect(await kubectl(['create', '-f', '-'], both)).to.include({exitCode: 0});
      const again = await kubectl(['create', '-f', '-'], both);
      expect(again.stderr).to.contain('deployments.apps "b" already exists');
      expect(await kubectl(['replace', '-f', '-'], both)).to.include({
        stdout: 'configmap/b replaced\ndeployment.apps/b replaced\n',
      });
      const {resourceVersion} = api.state.configMaps[0]?.metadata ?? {};
      const path = '/api/v1/namespaces/default/configmaps/b';
      const body = {...configMap, metadata: {name: 'b', resourceVersion}, data: {c: 'd'}};
      expect(await call('PUT', path, body)).to.include({status: 200});
      const stale = await call('PUT', path, body);
      expect(stale).to.include({status: 409});
      expect(stale.body).to.include({reason: 'Conflict'});
    });

    it('deletes what is there, with its pods, and waits until they are gone', async () => {
      const {pod} = addBuilder(api.state, {kind: 'ours', name: 'b'});
      const ended = await run('delete deployment/b configmap/b deployment/no --ignore-not-found --wait');
      expect(ended).to.include({
        exitCode: 0,
        stdout:
          'deployment.apps "b" deleted from default namespace\nconfigmap "b" deleted from default namespace\n',
      });
      await run(`wait --for=delete pod/${pod.metadata.name} --timeout=10s`);
      expect([
        api.state.deployments,
        api.state.configMaps,
        api.state.pods,
        api.state.replicaSets,
      ]).to.deep.equal([[], [], [], []]);
      expect((await run('delete deployment/b')).stderr).to.contain('deployments.apps "b" not found');
    });

    it('knows no namespace that is not there', async () => {
      expect((await run('get namespace nope')).stderr).to.contain('namespaces "nope" not found');
      const ended = await kubectl(['-n', 'nope', ...APPLY], manifest(configMap));
      expect(ended).to.include({
        exitCode: 1,
        stderr: 'Error from server (NotFound): namespaces "nope" not found\n',
      });
      const created = await call('POST', '/api/v1/namespaces/nope/configmaps', configMap);
      expect(created).to.include({status: 404});
    });
  });

  describe('choosing', () => {
    it('selects by labels that are there, are equal or are not, and by fields', async () => {
      addBuilder(api.state, {kind: 'plugin'});
      addBuilder(api.state, {kind: 'ours', name: 'own'});
      addBuilder(api.state, {kind: 'foreign', name: 'docker', runtime: 'docker'});
      const names = async (query: string) =>
        (await run(`get deployments -o name ${query}`)).stdout.trim().split('\n');
      expect(await names('-l runtime,worker,rootless')).to.have.length(3);
      expect(await names('-l runtime=containerd,app!=own')).to.deep.equal(['deployment.apps/buildkit']);
      expect(await names('-l !nothing,runtime\u0020in\u0020(docker)')).to.have.length.below(4);
      expect(await names('--field-selector metadata.name=own')).to.deep.equal(['deployment.apps/own']);
    });

    it('has builders as they are recorded, ours and foreign ones, with their ConfigMaps and pods', async () => {
      const plugin = addBuilder(api.state, {kind: 'plugin'});
      const {body} = readBuilderRecording('builder-by-plugin-configmap') as {body: {binaryData: object}};
      expect(plugin.configMap.binaryData).to.deep.equal(body.binaryData);
      expect(JSON.stringify(plugin.deployment)).to.contain('containerd-sock');
      const ours = addBuilder(api.state, {kind: 'ours', name: 'own', image: 'a:1', args: ['--y']});
      expect(ours.deployment.metadata.labels).to.include({
        'app.kubernetes.io/managed-by': 'kubectl-tiltbuild',
      });
      expect(JSON.stringify(ours.deployment.spec))
        .to.contain('"/run/containerd"')
        .and.not.contain('containerd.sock');
      const toml = (ours.configMap.binaryData as Record<string, string>)['buildkitd.toml'] ?? '';
      expect(Buffer.from(toml, 'base64').toString()).to.contain('[otel]\n  socketPath');
      const shown = await run('get deployments,pods,configmaps,nodes --no-headers');
      expect(shown.stdout.trim().split(/\n+/)).to.have.length(7);
    });
  });

  describe('starting builders', () => {
    it('ends the old pod before the new one starts where the strategy is Recreate', async () => {
      const {pod} = addBuilder(api.state, {kind: 'ours', name: 'b'});
      await kubectl(['set', 'image', 'deployment/b', 'buildkitd=x:2']);
      expect(api.state.pods).to.have.length(1);
      expect(api.state.pods[0]?.metadata).to.have.property('deletionTimestamp');
      const ended = await run('rollout status deployment/b --timeout=10s');
      expect(ended.stdout).to.contain('successfully rolled out');
      expect(api.state.pods.map(({metadata}) => metadata.name)).to.not.include(pod.metadata.name);
      expect(eventReasons()).to.include.members([
        'Killing',
        'ScalingReplicaSet',
        'SuccessfulCreate',
        'Started',
      ]);
    });

    const stuck: Readonly<Record<Exclude<BuilderOutcome, 'ready' | 'never'>, RegExp>> = {
      'stuck-crash': /BackOff.*default/s,
      'stuck-lock': /BackOff.*default/s,
      'stuck-hostpath': /FailedMount.*is not a directory/s,
      'stuck-image': /Failed to pull image \\"x:1\\"/,
      'stuck-podsecurity': /FailedCreate.*violates PodSecurity/s,
      'stuck-quota': /FailedCreate.*exceeded quota/s,
      'stuck-unschedulable-cpu': /FailedScheduling.*Insufficient cpu/s,
      'stuck-unschedulable-selector': /FailedScheduling.*node affinity\/selector/s,
    };
    for (const [outcome, evidence] of Object.entries(stuck)) {
      it(`is ${outcome} as recorded, with the names at hand`, async () => {
        api.state.builder.outcome = outcome as BuilderOutcome;
        await call('POST', DEPLOYMENTS, deployment());
        const status = await run('rollout status deployment/b --timeout=300ms');
        expect(status.exitCode).to.equal(1);
        const events = await call('GET', '/api/v1/namespaces/default/events');
        expect(events.text).to.match(evidence);
        const pods = JSON.stringify(api.state.pods);
        expect(`${events.text}${pods}${JSON.stringify(current()?.status)}`).to.not.match(
          /own-|"own"|_stuck|buildkit-b4/,
        );
        expect(current()).to.have.nested.property('status.unavailableReplicas', 1);
        api.state.builder.outcome = 'ready';
        // One of them is past its progress deadline, at whose sight kubectl would give up at once.
        while (!JSON.stringify(current()?.status).includes('NewReplicaSetAvailable'))
          await new Promise((resolve) => setTimeout(resolve, 10));
        expect(await run('rollout status deployment/b --timeout=10s')).to.include({exitCode: 0});
      });
    }
  });

  describe('losing pods', () => {
    const deaths = {
      deleted: 'Killing',
      evicted: 'Evicted',
      oom: 'Started',
      'node-gone': 'TaintManagerEviction',
    } as const;
    for (const [how, reason] of Object.entries(deaths)) {
      it(`loses one that is ${how}, tells it to a watch, and comes back`, async () => {
        api.state.nodes.push(node({name: 'other', kubeletVersion: 'v1.35.0'}));
        const {pod} = addBuilder(api.state, {kind: 'ours'});
        const {name} = pod.metadata;
        const version = (await call('GET', '/api/v1/namespaces/default/pods')).body.metadata.resourceVersion;
        const watch = call(
          'GET',
          `/api/v1/namespaces/default/pods?watch=true&resourceVersion=${version}&timeoutSeconds=1`,
        );
        api.killPod(name, how as keyof typeof deaths);
        const lines = (await watch).text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
        const own = lines.filter(({object}) => object.metadata.name === name);
        expect(own[0]).to.have.property('type', 'MODIFIED');
        const gone = how === 'deleted' || how === 'node-gone';
        expect(own.at(-1)?.type).to.equal(gone ? 'DELETED' : 'MODIFIED');
        expect(lines.some(({object}) => object.metadata.name !== name)).to.equal(how !== 'oom');
        expect(eventReasons()).to.include(reason);
        expect(await run('rollout status deployment/buildkit --timeout=10s')).to.include({exitCode: 0});
      });
    }
    it('has no pod of that name to kill', () => {
      expect(() => api.killPod('none', 'oom')).to.throw('There is no pod "none"');
    });
  });

  describe('watching', () => {
    it('tells kubectl of what a test changes behind its back, and ends with the server', async () => {
      const {pod} = addBuilder(api.state, {kind: 'ours'});
      const watching = run('get pods -w --no-headers --output-watch-events');
      const until = Date.now() + 5000;
      while (!api.requests.some(({query}) => query.watch) && Date.now() < until) await pause();
      api.state.pods = api.state.pods.filter(({metadata}) => metadata.name !== pod.metadata.name);
      await pause(100);
      await api.close();
      expect((await watching).stdout).to.match(/^ADDED .*\nDELETED .*\n$/);
      api = await startApiServer();
    });

    it('ends after the time that was asked for', async () => {
      const started = Date.now();
      const {status, text} = await call(
        'GET',
        `${DEPLOYMENTS}?watch=1&timeoutSeconds=1&sendInitialEvents=true&allowWatchBookmarks=true`,
      );
      expect(status).to.equal(200);
      expect(JSON.parse(text)).to.include({type: 'BOOKMARK'});
      expect(Date.now() - started).to.be.within(900, 3000);
    });

    it('lists the events of one object', async () => {
      const {pod} = addBuilder(api.state, {kind: 'ours'});
      api.killPod(pod.metadata.name, 'evicted');
      const {stdout} = await run(
        `get events -o name --field-selector involvedObject.name=${pod.metadata.name}`,
      );
      expect(stdout.trim().split('\n')).to.have.length(2);
    });
  });

  describe('rights', () => {
    it('answers what one may do, in either review, to kubectl and to plain requests', async () => {
      expect((await run('auth can-i create deployments')).stdout).to.equal('yes\n');
      api.state.denied.add('create deployments').add('create pods/exec');
      expect(await run('auth can-i create deployments')).to.include({exitCode: 1, stdout: 'no\n'});
      expect((await run('auth can-i create pods --subresource=exec')).stdout).to.equal('no\n');
      expect((await run('auth can-i --list')).stdout).to.match(
        /deployments\.apps .*\[get list watch update patch delete\]/,
      );
      const recorded = readBuilderRecording('can-i-denied') as {
        request: {path: string};
        body: {spec: object};
      };
      expect((await call('POST', recorded.request.path, recorded.body)).body).to.deep.equal(recorded.body);
      const rules = await call('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
        spec: {namespace: 'default'},
      });
      expect(rules.status).to.equal(201);
      expect(JSON.stringify(rules.body.status.resourceRules)).to.contain('"resources":["pods/exec"]');
    });

    it('refuses what is forbidden, in the words of a real server', async () => {
      addBuilder(api.state, {kind: 'ours'});
      api.state.forbidden = new Set(['configmaps', 'create deployments', 'pods/exec', 'events']);
      const ended = await kubectl(APPLY, manifest(configMap, deployment()));
      const who = 'User "token-user" cannot';
      expect(ended.stderr).to.equal(
        `Error from server (Forbidden): configmaps "b" is forbidden: ${who} patch resource "configmaps" in API group "" in the namespace "default"\n` +
          `Error from server (Forbidden): deployments.apps "b" is forbidden: ${who} create resource "deployments" in API group "apps" in the namespace "default"\n`,
      );
      expect((await run('exec deploy/buildkit -- true')).stderr).to.contain(
        'cannot create resource "pods/exec"',
      );
      expect((await run('get events')).stderr).to.contain('cannot list resource "events"');
    });
  });

  describe('containers', () => {
    it('runs commands, with what they print and how they end', async () => {
      addBuilder(api.state, {kind: 'ours'});
      const version = await run('exec -n default deploy/buildkit -c buildkitd -- buildkitd --version');
      expect(version.stdout).to.match(/^buildkitd github\.com\/moby\/buildkit v0\.32\.2 /);
      expect(await run('exec deploy/buildkit -- pgrep runc')).to.include({
        exitCode: 1,
        stdout: '',
        stderr: 'command terminated with exit code 1\n',
      });
      expect((await run('exec deploy/buildkit -- nosuch')).stderr).to.contain(
        'executable file not found in $PATH',
      );
      api.state.exec = async (command, pod) => ({
        stdout: `${command.join('|')} ${pod.metadata.name}`,
        stderr: 'warning\n',
        exitCode: 7,
      });
      const ended = await kubectl(['exec', '-i', 'deploy/buildkit', '--', 'a', 'b c'], 'input');
      expect(ended.exitCode).to.equal(7);
      expect(ended.stdout).to.match(/^a\|b c buildkit-79697dc5cc-/);
      expect(ended.stderr).to.equal('warning\ncommand terminated with exit code 7\n');
      expect(api.requests.at(-1)?.command).to.deep.equal(['a', 'b c']);
    });

    it('shows logs, and follows them until the pod is gone', async () => {
      const {pod} = addBuilder(api.state, {kind: 'ours'});
      api.state.logs = 'one\n';
      expect((await run('logs deployment/buildkit -c buildkitd')).stdout).to.equal('one\n');
      const following = run('logs deployment/buildkit -c buildkitd -f');
      while (!api.requests.some(({query}) => query.follow)) await pause();
      api.state.logs += 'two\n';
      await pause(100);
      api.killPod(pod.metadata.name, 'deleted');
      expect(await following).to.include({exitCode: 0, stdout: 'one\ntwo\n'});
    });
  });

  const pause = (ms = 10) => new Promise((resolve) => setTimeout(resolve, ms));
});
