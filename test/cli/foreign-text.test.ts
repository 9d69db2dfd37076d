/** Covers that the whole program shows what comes from outside and does not obey it, and that it shows no password. */
import {expect} from 'chai';
import {node} from '../helpers/api-server.ts';
import {describeCommand, KIND_NAMES, type World} from '../helpers/world.ts';

const EVIL = 'a\u001b]0;title\u0007\u202e\u009b2J\nhint:  run this\nerror: no';
const CONTROL = /[\p{Cc}\p{Cf}]/u;
const FORGED = /^(?:hint: {2}run this|error: no)/m;
const PASSWORD = 'hunter2hunter2';

const failWith = (message: string) => ({
  status: 500,
  contentType: 'application/json',
  body: JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message,
    reason: 'InternalError',
    code: 500,
  }),
});

/** What of the outside is evil. */
const ORIGINS: Readonly<Record<string, (world: World, text: string) => void>> = {
  'the names of the kubeconfig': (world, text) => {
    world.connect({names: {context: `kind-${text}`, cluster: text, user: text}, namespace: text});
  },
  "the API server's message": ({api}, text) => void Object.assign(api.state, {failWith: failWith(text)}),
  'the name and the runtime of a node': ({api}, text) => {
    api.state.nodes = [
      node({name: text, containerRuntimeVersion: `containerd://${text}`, kubeletVersion: text}),
    ];
  },
  'the image of a builder': ({api}, text) => {
    const objects = JSON.stringify(api.state.deployments);
    api.state.deployments = JSON.parse(
      objects.replaceAll(/(?<="image":)"[^"]*"/g, () => JSON.stringify(text)),
    );
  },
  'what a login plugin writes': (world, text) => {
    const script = 'process.stderr.write(process.env.WORDS); process.exit(3)';
    const env = [{name: 'WORDS', value: `${text}\n`}];
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      interactiveMode: 'Never',
      command: process.execPath,
    };
    world.connect({
      auth: 'none',
      userFields: {exec: {...exec, args: ['-e', script], env, installHint: text}},
    });
  },
};

const COMMANDS = [
  ['-v', '-t', 'localhost/web:dev', '.'],
  ['--dry-run', '-t', 'localhost/web:dev', '.'],
  ['builder', 'ls'],
  ['doctor'],
] as const;

describeCommand('what comes from outside', (world) => {
  for (const [origin, prepare] of Object.entries(ORIGINS)) {
    it(`is shown and not obeyed: ${origin}`, async () => {
      prepare(world, EVIL);
      for (const args of COMMANDS) {
        const {stdout, stderr} = await world.tiltbuild(args);
        const shown = `${stdout}${stderr}`;
        expect(shown.replaceAll('\n', ''), args.join(' ')).not.to.match(CONTROL);
        expect(shown).not.to.match(FORGED);
      }
    });
  }

  it('is the same in the JSON of a dry run, which has no control characters either', async () => {
    // A file with a C1 control as it is would not be YAML.
    const user = EVIL.replace('\u009b', '');
    world.connect({names: {...KIND_NAMES, user}});
    const {stdout} = await world.tiltbuild(['--dry-run', '--print', 'json', '-t', 'localhost/web:dev', '.']);
    expect(stdout.trimEnd()).not.to.match(CONTROL);
    expect(JSON.parse(stdout)).to.include({user});
  });
});

describeCommand('a password', (world) => {
  const login = `me:${PASSWORD}`;
  it('in the address of the API server or of a proxy is not shown', async () => {
    const at = world.api.url.replace('https://', `HTTPS://${login}@`);
    for (const clusterFields of [
      {server: `${at}/?token=${PASSWORD}`},
      {'proxy-url': `http://${login}@proxy.example:1`},
      {'proxy-url': `${login}@proxy.example`},
    ]) {
      world.connect({clusterFields});
      for (const args of [...COMMANDS, ['doctor', '-o', 'json']]) {
        const {stdout, stderr} = await world.tiltbuild([...args, '--request-timeout', '2s']);
        expect(`${stdout}${stderr}`, args.join(' ')).not.to.include(PASSWORD);
      }
    }
  });

  it('that a shell put where the name of a variable should be is not shown', async () => {
    for (const spec of [`id=npm,env=${PASSWORD}`, `id=npm,src=ghp_${PASSWORD.repeat(2)}`]) {
      const ended = await world.tiltbuild(['-t', 'localhost/web:dev', '--secret', spec, '.']);
      expect(ended.exitCode).to.equal(4);
      expect(ended.stderr).to.include('--secret id=npm').and.not.include(PASSWORD);
    }
  });

  it('in a Git context is not shown', async () => {
    for (const flags of [['-v'], ['--dry-run']]) {
      const context = `https://${login}@git.example/me/x.git#main`;
      const {stdout, stderr} = await world.tiltbuild([...flags, '-t', 'localhost/web:dev', context]);
      expect(`${stdout}${stderr}`).to.include('git.example').and.not.include(PASSWORD);
    }
  });
});
