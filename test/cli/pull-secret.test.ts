/** Covers which pull secret a build uses, whether we read the cluster ourselves or through kubectl. */
import {expect} from 'chai';
import {builderDeployment, SECRET_MARKER, SECRET_MARKER_BASE64} from '../helpers/api-server.ts';
import {DIGEST, describeCommand, KIND_NAMES, pinArgs, WAYS} from '../helpers/world.ts';

const DOCKER = 'kubernetes.io/dockerconfigjson';
const VARIABLE = 'KUBECTL_BUILD_REGISTRY_SECRET';

interface Case {
  readonly title: string;
  /** Name and type of each secret in the cluster. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly forbidden?: boolean;
  readonly args?: readonly string[];
  readonly variable?: string;
  /** The secret that the delegate gets; none where it is undefined. */
  readonly passed?: string;
  /** Texts of the error, where there is no build. */
  readonly error?: readonly string[];
  /** Texts of the note; no note where it is undefined. */
  readonly note?: readonly string[];
  /** The secret that is read; none where it is undefined. */
  readonly asked?: string;
}

const cases: readonly Case[] = [
  {
    title: 'uses docker-registry where it exists',
    secrets: {'docker-registry': DOCKER},
    passed: 'docker-registry',
    asked: 'docker-registry',
  },
  {title: 'uses none, silently, where docker-registry does not exist', asked: 'docker-registry'},
  {
    title: 'uses none, with a note, where docker-registry is of another type',
    secrets: {'docker-registry': 'kubernetes.io/dockercfg'},
    note: ['"docker-registry"', 'kubernetes.io/dockercfg', DOCKER, '"default"'],
    asked: 'docker-registry',
  },
  {
    title: 'uses docker-registry unchecked, with a note, without permission to read it',
    forbidden: true,
    passed: 'docker-registry',
    note: ['"docker-registry"', 'unchecked', 'secrets "docker-registry" is forbidden'],
    asked: 'docker-registry',
  },
  {
    title: 'uses the one of --registry-secret',
    secrets: {mine: DOCKER, 'docker-registry': DOCKER},
    args: ['--registry-secret', 'mine'],
    passed: 'mine',
    asked: 'mine',
  },
  {
    title: 'fails where the one of --registry-secret does not exist',
    secrets: {'docker-registry': DOCKER},
    args: ['--registry-secret', 'mine'],
    error: ['"mine"', '--registry-secret', 'does not exist', '"default"'],
    asked: 'mine',
  },
  {
    title: 'fails where the one of --registry-secret is of another type',
    secrets: {mine: 'Opaque'},
    args: ['--registry-secret', 'mine'],
    error: ['"mine"', '--registry-secret', 'Opaque', DOCKER],
    asked: 'mine',
  },
  {
    title: 'uses the one of --registry-secret unchecked, with a note, without permission to read it',
    forbidden: true,
    args: ['--registry-secret', 'mine'],
    passed: 'mine',
    note: ['"mine"', 'unchecked', 'secrets "mine" is forbidden'],
    asked: 'mine',
  },
  {
    title: 'uses the one of the variable',
    secrets: {mine: DOCKER, 'docker-registry': DOCKER},
    variable: 'mine',
    passed: 'mine',
    asked: 'mine',
  },
  {
    title: 'fails where the one of the variable does not exist',
    secrets: {'docker-registry': DOCKER},
    variable: 'mine',
    error: ['"mine"', VARIABLE, 'does not exist'],
    asked: 'mine',
  },
  {
    title: 'fails where the one of the variable is of another type',
    secrets: {mine: 'kubernetes.io/tls'},
    variable: 'mine',
    error: ['"mine"', VARIABLE, 'kubernetes.io/tls'],
    asked: 'mine',
  },
  {
    title: 'uses none, and reads none, where the variable is empty',
    secrets: {'docker-registry': DOCKER},
    variable: '',
  },
  {
    title: 'uses none, and reads none, where --registry-secret is empty',
    secrets: {'docker-registry': DOCKER, mine: DOCKER},
    args: ['--registry-secret='],
    variable: 'mine',
  },
  {
    title: 'prefers --registry-secret to the variable',
    secrets: {mine: DOCKER},
    args: ['--registry-secret=mine'],
    variable: 'missing',
    passed: 'mine',
    asked: 'mine',
  },
  {
    title: 'uses --registry-secret where the variable is empty',
    secrets: {mine: DOCKER},
    args: ['--registry-secret', 'mine'],
    variable: '',
    passed: 'mine',
    asked: 'mine',
  },
  {
    title: 'uses a secret with the name of the builder',
    secrets: {buildkit: DOCKER},
    variable: 'buildkit',
    passed: 'buildkit',
    asked: 'buildkit',
  },
  {
    title: 'does not take the builder for a secret of the same name',
    secrets: {'docker-registry': DOCKER},
    variable: 'buildkit',
    error: ['"buildkit"', 'does not exist'],
    asked: 'buildkit',
  },
  {
    title: 'does not take the type from the builder of the same name',
    secrets: {buildkit: 'Opaque'},
    args: ['--registry-secret', 'buildkit'],
    error: ['"buildkit"', 'Opaque'],
    asked: 'buildkit',
  },
];

for (const through of WAYS) {
  describeCommand(
    `the pull secret, ${through === 'kubectl' ? 'read through kubectl' : 'read directly'},`,
    (world) => {
      for (const {title, secrets = {}, forbidden, args = [], variable, passed, error, note, asked} of cases) {
        it(title, async () => {
          world.connect({through});
          const {state, requests} = world.api;
          state.secrets = Object.entries(secrets).map(([name, type]) => ({namespace: 'default', name, type}));
          if (forbidden) state.forbidden.add('secrets');
          const ended = await world.tiltbuild(['-t', 'localhost/web:dev', ...args, '.'], {
            env: {[VARIABLE]: variable},
          });

          const ofSecrets = requests.filter(({path}) => path.includes('/secrets'));
          const paths = asked === undefined ? [] : [`/api/v1/namespaces/default/secrets/${asked}`];
          expect(ofSecrets.map(({path}) => path)).to.deep.equal(paths);
          for (const {accept, query} of ofSecrets) {
            expect(accept).to.match(/^application\/json;as=Table;v=v1;g=meta\.k8s\.io(,|$)/);
            expect(query.includeObject).not.to.equal('Object');
          }
          const runs = world.sandbox.invocations();
          const seen = `${ended.stdout}${ended.stderr}${JSON.stringify(runs)}`;
          expect(seen).not.to.contain(SECRET_MARKER);
          expect(seen).not.to.contain(SECRET_MARKER_BASE64);

          if (error !== undefined) {
            expect(ended, ended.stderr).to.include({exitCode: 4, stdout: ''});
            for (const word of error) expect(ended.stderr).to.contain(word);
            expect(ended.stderr).to.contain('kubectl create secret docker-registry');
            expect(runs).to.deep.equal([]);
            return;
          }
          expect(ended, ended.stderr).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
          const {argv} = world.delegated();
          expect(argv.slice(0, argv.indexOf('--tag'))).to.deep.equal([
            ...pinArgs(world.sandbox, KIND_NAMES),
            ...(passed === undefined ? [] : ['--registry-secret', passed]),
          ]);
          const notes = ended.stderr.split('\n').filter((line) => line.startsWith('note:'));
          expect(notes).to.have.length(note === undefined ? 0 : 1);
          for (const word of note ?? []) expect(notes[0]).to.contain(word);
        });
      }

      it('is not confused with a builder called docker-registry', async () => {
        world.connect({through});
        world.api.state.deployments = [builderDeployment({name: 'docker-registry', runtime: 'docker'})];
        const ended = await world.tiltbuild(['-t', 'localhost/web:dev', '--builder', 'docker-registry', '.']);
        expect(ended.exitCode, ended.stderr).to.equal(0);
        const {argv} = world.delegated();
        expect(argv).to.include.members(['--builder', '--registry-secret']);
        // The builder's label says docker, so the export is the delegate's own.
        expect(argv).not.to.include('--output');
      });

      it('is not taken for a builder of the same name', async () => {
        world.connect({through, names: {context: 'minikube', cluster: 'minikube', user: 'minikube'}});
        world.api.state.deployments = [];
        world.api.state.secrets = [
          {namespace: 'default', name: 'buildkit', type: DOCKER, labels: {runtime: 'containerd'}},
        ];
        // No builder is created, so the runtime stays unknown.
        const policy = ['--builder-policy', 'never'];
        const args = ['-t', 'localhost/web:dev', '--registry-secret', 'buildkit', ...policy, '.'];
        const ended = await world.tiltbuild(args);
        expect(ended.exitCode, ended.stderr).to.equal(0);
        expect(world.delegated().argv).not.to.include('--output');
      });

      it('is read in the namespace of the build only', async () => {
        world.connect({through, namespace: 'team'});
        const ended = await world.tiltbuild([
          '-t',
          'localhost/web:dev',
          '--registry-secret',
          'docker-registry',
          '.',
        ]);
        expect(ended).to.include({exitCode: 4, stdout: ''});
        expect(ended.stderr).to.contain('does not exist in namespace "team"');
        expect(world.sandbox.invocations()).to.deep.equal([]);
      });
    },
  );
}
