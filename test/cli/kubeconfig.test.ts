/** Covers which kubeconfig is used, the errors for an unusable one, and how the target is pinned. */
import {chmodSync, existsSync, mkdirSync, writeFileSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {expect} from 'chai';
import {parse, stringify} from 'yaml';
import type {Ended} from '../helpers/programs.ts';
import {
  DIGEST,
  describeCommand,
  KIND_NAMES,
  PLAIN_NAMES,
  PROXY,
  pinArgs,
  type World,
} from '../helpers/world.ts';

const BUILD = ['-t', 'localhost/web:dev', '.'];
const CREDENTIAL = 'credential-that-nobody-may-see';

/** The connection flags that the delegate got. */
function pins(world: World): readonly string[] {
  const {argv} = world.delegated();
  return argv.slice(0, argv.indexOf('--registry-secret'));
}

function expectBuilt(ended: Ended): void {
  expect(ended, ended.stderr).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
}

/** The kubeconfig of `connect` with a change. */
function edited({api, sandbox}: World, edit: (config: ReturnType<typeof parse>) => void): string {
  const config = parse(api.kubeconfig({auth: 'certificate', names: KIND_NAMES, directory: sandbox.root}));
  edit(config);
  return stringify(config);
}

interface Fault {
  readonly title: string;
  readonly text: string | ((world: World) => string);
  readonly args?: readonly string[];
  readonly words: readonly string[];
  /** The error does not name the file. */
  readonly noFile?: boolean;
}

const faults: readonly Fault[] = [
  {
    title: 'invalid YAML',
    text: `a: 1\nb: {token: ${CREDENTIAL}\n`,
    words: ['line 3, column 1', 'YAML'],
  },
  {
    title: 'a field of the wrong type',
    text: `users:\n- name: me\n  user:\n    token: [${CREDENTIAL}]\n`,
    words: ['line 4, column 12', 'token', 'a string'],
  },
  {title: 'an empty file', text: '', words: ['no current context', 'no contexts']},
  {
    title: 'no current context',
    text: (world) => edited(world, (config) => delete config['current-context']),
    words: ['no current context', 'contexts: kind-demo', '--context NAME'],
  },
  {
    title: 'a missing context in --context',
    text: (world) => edited(world, (config) => config.contexts.push({name: 'other', context: {}})),
    args: ['--context', 'kind-dmeo'],
    words: ['no context "kind-dmeo"', '--context', 'kind-demo, other', 'Did you mean --context kind-demo?'],
    noFile: true,
  },
  {
    title: 'a context whose cluster is missing',
    text: (world) => edited(world, (config) => Object.assign(config.contexts[0].context, {cluster: 'gone'})),
    words: ['context "kind-demo"', 'cluster "gone"', 'clusters: kind-demo'],
  },
  {
    title: 'a missing user in --user',
    text: (world) => edited(world, () => undefined),
    args: ['--user', 'nobody'],
    words: ['no user "nobody"', '--user', 'users: kind-demo'],
    noFile: true,
  },
  {
    title: 'a certificate without its key',
    text: (world) => edited(world, (config) => delete config.users[0].user['client-key-data']),
    words: ['user "kind-demo"', 'client-key'],
  },
];

describeCommand('an unusable kubeconfig', (world) => {
  const expectError = (ended: Ended, ...words: readonly string[]) => {
    expect(ended, ended.stderr).to.include({exitCode: 4, stdout: ''});
    for (const word of words) expect(ended.stderr).to.contain(word);
    expect(ended.stderr).not.to.contain(CREDENTIAL);
    expect(world.sandbox.invocations()).to.deep.equal([]);
    expect(world.api.requests).to.deep.equal([]);
  };

  for (const {title, text, args = [], words, noFile} of faults) {
    it(`is an error: ${title}`, async () => {
      world.sandbox.writeKubeconfig(typeof text === 'string' ? text : text(world));
      const ended = await world.tiltbuild(['-v', ...args, ...BUILD]);
      expectError(ended, ...(noFile ? [] : [world.sandbox.kubeconfig]), ...words);
    });
  }

  it('is an error: no file in the home directory', async () => {
    const ended = await world.tiltbuild(BUILD, {env: {KUBECONFIG: undefined}});
    expectError(
      ended,
      'No kubeconfig was found',
      join(world.sandbox.home, '.kube', 'config'),
      '--kubeconfig',
    );
  });

  it('is an error: no file of KUBECONFIG exists', async () => {
    const missing = ['one', 'two'].map((name) => join(world.sandbox.root, name));
    const ended = await world.tiltbuild(BUILD, {env: {KUBECONFIG: missing.join(delimiter)}});
    expectError(ended, 'No kubeconfig was found', ...missing);
    expectError(await world.tiltbuild(BUILD, {env: {KUBECONFIG: delimiter}}), 'KUBECONFIG names no file');
  });

  it('is an error: a missing --kubeconfig', async () => {
    const ended = await world.tiltbuild(['--kubeconfig', 'no such.yaml', ...BUILD]);
    expectError(ended, join(world.sandbox.work, 'no such.yaml'), '--kubeconfig', 'does not exist');
  });

  it('is an error: a directory', async () => {
    const given = await world.tiltbuild(['--kubeconfig', world.sandbox.home, ...BUILD]);
    expectError(given, world.sandbox.home, 'directory');
    const listed = await world.tiltbuild(BUILD, {env: {KUBECONFIG: world.sandbox.home}});
    expectError(listed, world.sandbox.home, 'directory');
  });

  it('is an error: a file without permission to read it', async function () {
    if (process.getuid?.() === 0) this.skip(); // root reads everything.
    chmodSync(world.sandbox.kubeconfig, 0);
    expectError(await world.tiltbuild(BUILD), world.sandbox.kubeconfig, 'permission denied');
  });
});

describeCommand('a kubeconfig', (world) => {
  it('can be several files, some missing: the delegate gets the variable, and the context by name', async () => {
    const [one, two, missing] = ['öne', 'two', 'missing'].map((name) => join(world.sandbox.root, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(
      one,
      edited(world, (config) => Object.assign(config, {clusters: [], users: []})),
    );
    writeFileSync(
      two,
      edited(world, (config) => Object.assign(config, {contexts: [], 'current-context': 'gone'})),
    );
    const KUBECONFIG = [one, two, missing].join(delimiter);
    expectBuilt(await world.tiltbuild(BUILD, {env: {KUBECONFIG}}));
    expect(pins(world)).to.deep.equal(['--context', 'kind-demo', '--namespace', 'default']);
    const {env, kubeconfigs} = world.delegated();
    expect(env.KUBECONFIG).to.equal(KUBECONFIG);
    expect(kubeconfigs.map(({path}) => path)).to.deep.equal([one, two, missing]);
  });

  const places: readonly (readonly [string, string, readonly string[], string | undefined])[] = [
    ['in the home directory', 'home/.kube/config', [], undefined],
    ['by a relative --kubeconfig', 'kube/config', ['--kubeconfig', '../kube/config'], '/no/such/file'],
    ['by a relative KUBECONFIG', 'kube/config', [], '../kube/config'],
    [
      'under a name with spaces and non-ASCII letters',
      'kübe 🚢/ça va.yaml',
      ['--kubeconfig=../kübe 🚢/ça va.yaml'],
      undefined,
    ],
  ];
  for (const [title, place, args, KUBECONFIG] of places) {
    it(`is found ${title}, and passed to the delegate by its absolute path`, async () => {
      const path = join(world.sandbox.root, place);
      mkdirSync(join(path, '..'), {recursive: true});
      writeFileSync(
        path,
        edited(world, () => undefined),
      );
      world.sandbox.writeKubeconfig('{}');
      expectBuilt(await world.tiltbuild([...args, ...BUILD], {env: {KUBECONFIG}}));
      expect(pins(world)).to.deep.equal([
        '--kubeconfig',
        path,
        '--context',
        'kind-demo',
        '--namespace',
        'default',
      ]);
    });
  }

  for (const auth of ['certificate-files', 'exec'] as const) {
    for (const current of [undefined, 'gone']) {
      it(`whose current context is ${current ?? 'unset'} is replaced by one of our own for --context (${auth})`, async () => {
        const options = {auth, names: KIND_NAMES, namespace: 'default', relativePaths: true};
        const config = parse(world.api.kubeconfig({...options, directory: world.sandbox.root}));
        world.sandbox.writeKubeconfig(stringify({...config, 'current-context': current}));
        expectBuilt(await world.tiltbuild(['--context', 'kind-demo', ...BUILD]));
        const [own, ...others] = world.delegated().kubeconfigs;
        expect(others).to.deep.equal([]);
        expect(pins(world)).to.deep.equal(['--kubeconfig', own?.path, '--namespace', 'default']);
        expect(own?.path.startsWith(world.sandbox.tmp)).to.equal(true);
        expect(own).to.include({mode: 0o600, directoryMode: 0o700});
        expect(existsSync(own?.path ?? '')).to.equal(false);
        const pinned = parse(own?.content ?? '');
        expect(pinned).to.include({'current-context': 'kind-demo'});
        expect(pinned.contexts).to.deep.equal([
          {name: 'kind-demo', context: {cluster: 'kind-demo', user: 'kind-demo', namespace: 'default'}},
        ]);
        // Relative paths stay relative to the file that they were in.
        const {exec, 'client-key': key} = pinned.users[0].user;
        expect(exec?.args.at(-1) ?? key).to.match(/^\/.*\/(credential-plugin|client\.key)$/);
      });
    }
  }

  it('pins the target: a current context that changes meanwhile has no effect', async () => {
    const {api, sandbox} = world;
    // The credential plugin runs after the kubeconfig was read, and before the delegate is started.
    const source = parse(api.kubeconfig({auth: 'exec', names: PLAIN_NAMES, directory: sandbox.root}));
    const {command} = source.users[0].user.exec;
    const elsewhere = {name: 'elsewhere', context: {cluster: 'closed', user: 'me', namespace: 'other'}};
    source.contexts.push(elsewhere);
    source.clusters.push({name: 'closed', cluster: {server: 'https://127.0.0.1:1'}});
    const switcher = join(sandbox.root, 'switcher');
    const moved = JSON.stringify({...source, 'current-context': 'elsewhere'});
    // Replaced in one step, because several kubectl read it in parallel.
    const script = [
      "const fs = process.getBuiltinModule('fs');",
      "const partial = process.argv[1] + '.' + process.pid;",
      `fs.writeFileSync(partial, ${JSON.stringify(moved)});`,
      `fs.renameSync(partial, ${JSON.stringify(sandbox.kubeconfig)});`,
    ].join('\n');
    writeFileSync(switcher, `#!${process.execPath}\n${script}\nimport(${JSON.stringify(command)});\n`, {
      mode: 0o700,
    });
    source.users[0].user.exec.command = switcher;
    sandbox.writeKubeconfig(stringify(source));

    expectBuilt(await world.tiltbuild(BUILD));
    const [own] = world.delegated().kubeconfigs;
    expect(pins(world)).to.deep.equal(['--kubeconfig', own?.path, '--namespace', 'default']);
    expect(parse(own?.content ?? '')).to.include({'current-context': 'work'});
    // Behind a proxy kubectl reads the cluster, and the delegate gets the file itself.
    sandbox.writeKubeconfig(stringify(source));
    expectBuilt(await world.tiltbuild(BUILD, {env: PROXY}));
    const behind = sandbox.invocations().at(-1);
    expect(behind?.argv.slice(0, 6)).to.deep.equal(pinArgs(sandbox, PLAIN_NAMES));
    expect(parse(behind?.kubeconfigs[0]?.content ?? '')).to.include({'current-context': 'elsewhere'});
  });

  it('is not needed with --server and credentials', async () => {
    const {api, sandbox} = world;
    api.kubeconfig({auth: 'certificate-files', directory: sandbox.work});
    const trust = ['--server', api.url, '--certificate-authority', 'authority.crt'];
    for (const login of [
      ['--token', api.token],
      ['--client-certificate', 'client.crt', '--client-key', 'client.key'],
    ]) {
      expectBuilt(await world.tiltbuild([...trust, ...login, ...BUILD], {env: {KUBECONFIG: undefined}}));
    }
    const runs = sandbox.invocations();
    expect(runs).to.have.length(2);
    for (const {argv, kubeconfigs} of runs) {
      const own = kubeconfigs[0]?.path ?? '';
      expect(argv.slice(0, 4)).to.deep.equal(['--kubeconfig', own, '--namespace', 'default']);
      expect(own.startsWith(sandbox.tmp)).to.equal(true);
      const [{cluster}] = parse(kubeconfigs[0]?.content ?? '').clusters;
      expect(cluster).to.deep.equal({
        server: api.url,
        'certificate-authority': join(sandbox.work, 'authority.crt'),
      });
      expect(argv).not.to.include('--server');
    }
    expect(api.requests.map(({user}) => user)).to.include.members(['token-user', 'certificate-user']);
  });
});
