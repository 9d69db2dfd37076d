/** Covers which pull secret a build uses, whether we read the cluster ourselves or through kubectl. */
import {expect} from 'chai';
import {addBuilder, SECRET_MARKER, SECRET_MARKER_BASE64} from '../helpers/api-server.ts';
import {
  BUILD,
  describeCommand,
  expectBuilt,
  expectRefused,
  KIND_NAMES,
  pinArgs,
  removeBuilders,
  WAYS,
} from '../helpers/world.ts';

const DOCKER = 'kubernetes.io/dockerconfigjson';
const VARIABLE = 'KUBECTL_BUILD_REGISTRY_SECRET';
const MINE = ['--registry-secret', 'mine'];

interface Case {
  /** Name and type of each secret in the cluster; forbidden where it is undefined. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly variable?: string;
  /** The secret that is read; none where it is undefined. */
  readonly asked?: string;
  /** The secret that the delegate gets; none where it is undefined. */
  readonly passed?: string;
  /** Texts of the error, where there is no build, or of the note. */
  readonly error?: readonly string[];
  readonly note?: readonly string[];
}

const cases: Readonly<Record<string, Case>> = {
  'is docker-registry where it exists': {
    secrets: {'docker-registry': DOCKER},
    asked: 'docker-registry',
    passed: 'docker-registry',
  },
  'is none, silently, where docker-registry does not exist': {secrets: {}, asked: 'docker-registry'},
  'is none, with a note, where docker-registry is of another type': {
    secrets: {'docker-registry': 'kubernetes.io/dockercfg'},
    asked: 'docker-registry',
    note: ['"docker-registry"', 'kubernetes.io/dockercfg'],
  },
  'is unchecked, with a note, without permission to read it': {
    args: MINE,
    asked: 'mine',
    passed: 'mine',
    note: ['"mine"', 'unchecked', 'secrets "mine" is forbidden'],
  },
  'is the one of --registry-secret': {
    secrets: {mine: DOCKER, 'docker-registry': DOCKER},
    args: MINE,
    variable: 'missing',
    asked: 'mine',
    passed: 'mine',
  },
  'is missing where the one of --registry-secret does not exist': {
    secrets: {'docker-registry': DOCKER},
    args: MINE,
    asked: 'mine',
    error: ['"mine"', '--registry-secret', 'does not exist', '"default"'],
  },
  'is not the builder of the same name, nor of its type': {
    secrets: {buildkit: 'Opaque'},
    variable: 'buildkit',
    asked: 'buildkit',
    error: ['"buildkit"', VARIABLE, 'Opaque', DOCKER],
  },
  'is none, and none is read, where --registry-secret is empty': {
    secrets: {'docker-registry': DOCKER, mine: DOCKER},
    args: ['--registry-secret='],
    variable: 'mine',
  },
};

for (const through of WAYS) {
  describeCommand(`the pull secret (${through})`, (world) => {
    beforeEach(() => world.connect({through}));

    for (const [title, {secrets, args = [], variable, passed, error, note = [], asked}] of Object.entries(
      cases,
    )) {
      it(title, async () => {
        const {state, requests} = world.api;
        state.secrets = Object.entries(secrets ?? {}).map(([name, type]) => ({
          namespace: 'default',
          name,
          type,
        }));
        if (secrets === undefined) state.forbidden.add('secrets');
        const ended = await world.tiltbuild([...args, ...BUILD], {env: {[VARIABLE]: variable}});

        const ofSecrets = requests.filter(({path}) => path.includes('/secrets'));
        const paths = asked === undefined ? [] : [`/api/v1/namespaces/default/secrets/${asked}`];
        expect(ofSecrets.map(({path}) => path)).to.deep.equal(paths);
        for (const {accept, query} of ofSecrets) {
          expect(accept).to.match(/^application\/json;as=Table;v=v1;g=meta\.k8s\.io(,|$)/);
          expect(query.includeObject).not.to.equal('Object');
        }
        const seen = `${ended.stdout}${ended.stderr}${JSON.stringify(world.sandbox.invocations())}`;
        expect(seen).not.to.contain(SECRET_MARKER).and.not.to.contain(SECRET_MARKER_BASE64);

        if (error !== undefined)
          return expectRefused(world, ended, 4, ...error, 'kubectl create secret docker-registry');
        expectBuilt(ended);
        const {argv} = world.delegated();
        expect(argv.slice(0, argv.indexOf('--tag'))).to.deep.equal([
          ...pinArgs(world.sandbox, KIND_NAMES),
          ...(passed === undefined ? [] : ['--registry-secret', passed]),
        ]);
        const notes = ended.stderr.split('\n').filter((line) => line.startsWith('note:'));
        expect(notes).to.have.length(note.length === 0 ? 0 : 1);
        for (const word of note) expect(notes[0]).to.contain(word);
      });
    }

    it('is not confused with a builder called docker-registry', async () => {
      removeBuilders(world);
      addBuilder(world.api.state, {kind: 'ours', name: 'docker-registry', runtime: 'docker'});
      expectBuilt(await world.tiltbuild(['--builder', 'docker-registry', ...BUILD]));
      const {argv} = world.delegated();
      expect(argv).to.include.members(['--builder', '--registry-secret']);
      // The builder's label says docker, so the export is the delegate's own.
      expect(argv).not.to.include('--output');
    });

    it('is read in the namespace of the build only', async () => {
      world.connect({through, namespace: 'team'});
      const ended = await world.tiltbuild(['--registry-secret', 'docker-registry', ...BUILD]);
      expectRefused(world, ended, 4, 'does not exist in namespace "team"');
    });
  });
}
