/** Compares the roles that `builder create --print-rbac` prints with what the whole commands ask the API server for. */
import {expect} from 'chai';
import {parseAllDocuments} from 'yaml';
import type {ApiRequest} from '../helpers/api/requests.ts';
import {findTarget} from '../helpers/api/resources.ts';
import {serveContainerd} from '../helpers/containerd-stand-in.ts';
import {serveBuildkit} from '../helpers/engines.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';
import {BUILD, DIGEST, describeCommand, WAYS} from '../helpers/world.ts';

interface Role {
  readonly kind: string;
  readonly metadata: {readonly name: string; readonly namespace?: string};
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
    readonly resourceNames?: readonly string[];
  }[];
}

/** What a request needs, as `get pods/exec in default` or `list nodes`. */
function describeNeed(request: ApiRequest): string | undefined {
  const target = findTarget(request);
  if (target === undefined) return undefined;
  const {verb, plural, subresource = '', namespace} = target;
  const resource = subresource === '' ? plural : `${plural}/${subresource.split('/')[0]}`;
  // What belongs to no namespace is nevertheless asked for by one where it is that namespace.
  const place = namespace === undefined || plural === 'namespaces' ? '' : ` in ${namespace}`;
  return `${verb} ${resource}${place}`;
}

const grantsOf = (roles: readonly Role[]) =>
  roles.flatMap(({kind, metadata, rules = []}) =>
    rules.flatMap(({resources, verbs, resourceNames}) =>
      resources.flatMap((resource) =>
        verbs.map((verb) => {
          const place = resourceNames
            ? ' in kube-public'
            : kind === 'Role'
              ? ` in ${metadata.namespace}`
              : '';
          return `${verb} ${resource}${place}`;
        }),
      ),
    ),
  );

/** It would reach all that a kubelet offers, so it is left out, and `doctor` does without. */
const LEFT_OUT = ['get nodes/proxy'];
/** What is granted besides. The plugin and older versions of kubectl send an exec as a POST. */
const NOT_SEEN = [
  'create pods/exec in default',
  // An apply that creates an object needs both verbs, and is one request.
  'create configmaps in default',
  // After failures: a quota that demands limits, a step that was killed.
  'list resourcequotas in default',
  'get nodes',
];

const COMMANDS: readonly (readonly string[])[] = [
  ['builder', 'create', 'second'],
  ['builder', 'create', 'second', '--replace'],
  ['builder', 'rm', 'second', '--yes'],
  BUILD,
  ['--image', 'localhost/web', '.'],
  ['--push', '-t', 'registry.example/web:1', '.'],
  ['doctor'],
  ['builder', 'ls'],
  ['builder', 'images'],
  ['builder', 'images', 'prune', '--all-projects'],
  ['builder', 'logs'],
  ['builder', 'du'],
  ['builder', 'prune'],
];

describeCommand('builder create --print-rbac', (world) => {
  async function readRoles(): Promise<readonly Role[]> {
    const {exitCode, stdout, stderr} = await world.tiltbuild(['builder', 'create', '--print-rbac']);
    expect(exitCode, stderr).to.equal(0);
    expect(world.api.requests).to.deep.equal([]);
    return parseAllDocuments(stdout).map((document) => document.toJS());
  }

  it('grants what the commands ask for, directly and through kubectl, and nothing else', async () => {
    const granted = grantsOf(await readRoles());
    serveBuildkit(world);
    serveContainerd(world).add(`localhost/web@${DIGEST}`, DIGEST);
    for (const through of WAYS) {
      world.connect({through});
      for (const args of COMMANDS) {
        const ended = await world.tiltbuild(args, {env: {PATH: realKubectlDirectory()}});
        expect(ended.exitCode, `${args.join(' ')}: ${ended.stderr}`).to.equal(0);
      }
    }
    // Events are read once a builder takes longer than usual.
    world.api.state.builder.outcome = 'never';
    await world.tiltbuild(['builder', 'create', 'third', '--timeout', '4s']);
    const needed = new Set(world.api.requests.flatMap((request) => describeNeed(request) ?? []));
    expect([...needed].filter((need) => ![...granted, ...LEFT_OUT].includes(need))).to.deep.equal([]);
    expect(granted.filter((one) => !needed.has(one) && !NOT_SEEN.includes(one))).to.deep.equal([]);
  });

  it('binds each role to the group, in the namespace that is asked for', async () => {
    const roles = await readRoles();
    for (const {kind, metadata} of roles.filter(({rules}) => rules !== undefined)) {
      const binding = roles.find(
        (one) => one.kind === `${kind}Binding` && one.metadata.name === metadata.name,
      );
      expect(binding).to.deep.include({
        roleRef: {apiGroup: 'rbac.authorization.k8s.io', kind, name: metadata.name},
      });
      expect(binding?.metadata).to.deep.equal(metadata);
      expect(metadata.namespace).to.equal(kind === 'Role' ? 'default' : undefined);
    }
    expect(roles).to.have.length(6);
  });
});
