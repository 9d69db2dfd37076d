/** Covers which kubeconfig is used, the errors for an unusable one, and how the target is pinned. */
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, renameSync, writeFileSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {delimiter, join} from 'node:path';
import {expect} from 'chai';
import {parse, stringify} from 'yaml';
import {
  BUILD,
  describeCommand,
  expectBuilt,
  expectRefused,
  KIND_NAMES,
  PLAIN_NAMES,
  PROXY,
  pinArgs,
  type World,
} from '../helpers/world.ts';

const CREDENTIAL = 'credential-that-nobody-may-see';

/** The connection flags that the delegate got. */
function pins(world: World): readonly string[] {
  const {argv} = world.delegated();
  return argv.slice(0, argv.indexOf('--registry-secret'));
}

/** The kubeconfig of `connect` with a change. */
function edited({api, sandbox}: World, edit: (config: ReturnType<typeof parse>) => void): string {
  const config = parse(api.kubeconfig({auth: 'certificate', names: KIND_NAMES, directory: sandbox.root}));
  edit(config);
  return stringify(config);
}

function rename(config: ReturnType<typeof parse>, name: string): void {
  config.contexts[0].name = name;
  config['current-context'] = name;
}

describeCommand('an unusable kubeconfig', (world) => {
  type Run = Parameters<World['tiltbuild']>;
  const expectError = async (args: Run[0], env: object, ...words: readonly string[]) => {
    const ended = await world.tiltbuild([...args, ...BUILD], {env: {...env}});
    expectRefused(world, ended, 4, ...words);
    expect(ended.stderr).not.to.contain(CREDENTIAL);
    expect(world.api.requests).to.deep.equal([]);
  };

  for (const [title, text, args, words] of [
    [
      'a field of the wrong type',
      () => `users:\n- name: me\n  user:\n    token: [${CREDENTIAL}]\n`,
      [],
      ['kubeconfig.yaml', 'line 4, column 12', 'token', 'a string'],
    ],
    [
      'no current context',
      () => edited(world, (config) => delete config['current-context']),
      [],
      ['kubeconfig.yaml', 'no current context', 'contexts: kind-demo', '--context NAME'],
    ],
    [
      'a context that it has not',
      () => edited(world, (config) => config.contexts.push({name: 'other', context: {}})),
      ['--context', 'kind-dmeo'],
      ['no context "kind-dmeo"', '--context', 'kind-demo, other', 'Did you mean --context kind-demo?'],
    ],
    [
      'a certificate without its key',
      () => edited(world, (config) => delete config.users[0].user['client-key-data']),
      [],
      ['kubeconfig.yaml', 'user "kind-demo"', 'client-key'],
    ],
  ] as const) {
    it(`is an error: ${title}`, async () => {
      world.sandbox.writeKubeconfig(text());
      await expectError(['-v', ...args], {}, ...words);
    });
  }

  it('is an error: a file that does not exist, or is a directory', async () => {
    const {home, root, work} = world.sandbox;
    const missing = ['one', 'two'].map((name) => join(root, name));
    const nowhere = [{KUBECONFIG: undefined}, join(home, '.kube', 'config')] as const;
    await expectError([], nowhere[0], 'No kubeconfig was found', nowhere[1], '--kubeconfig');
    await expectError([], {KUBECONFIG: missing.join(delimiter)}, 'No kubeconfig was found', ...missing);
    await expectError(['--kubeconfig', 'no such.yaml'], {}, join(work, 'no such.yaml'), 'does not exist');
    await expectError([], {KUBECONFIG: home}, home, 'directory');
  });
});

describeCommand('a kubeconfig', (world) => {
  it('can be several files, some missing: the delegate gets the variable, and the context by name', async () => {
    const paths = ['öne', 'two', 'missing'].map((name) => join(world.sandbox.root, name));
    for (const [index, part] of [
      {clusters: [], users: []},
      {contexts: [], 'current-context': 'gone'},
    ].entries()) {
      const text = edited(world, (config) => Object.assign(config, part));
      writeFileSync(paths[index] ?? '', text);
    }
    const KUBECONFIG = paths.join(delimiter);
    expectBuilt(await world.tiltbuild(BUILD, {env: {KUBECONFIG}}));
    expect(pins(world)).to.deep.equal(['--context', 'kind-demo', '--namespace', 'default']);
    const {env, kubeconfigs} = world.delegated();
    expect(env.KUBECONFIG).to.equal(KUBECONFIG);
    expect(kubeconfigs.map(({path}) => path)).to.deep.equal(paths);
  });

  const places: readonly (readonly [string, string, readonly string[], string | undefined])[] = [
    ['in the home directory', 'home/.kube/config', [], undefined],
    ['by a relative KUBECONFIG', 'kube/config', [], '../kube/config'],
    ['by --kubeconfig', 'kübe 🚢/ça va.yaml', ['--kubeconfig=../kübe 🚢/ça va.yaml'], '/no/such/file'],
  ];
  for (const [title, place, args, KUBECONFIG] of places) {
    it(`is found ${title}, and passed to the delegate by its absolute path`, async () => {
      const path = join(world.sandbox.root, place);
      mkdirSync(join(path, '..'), {recursive: true});
      renameSync(world.sandbox.kubeconfig, path);
      world.sandbox.writeKubeconfig('{}');
      expectBuilt(await world.tiltbuild([...args, ...BUILD], {env: {KUBECONFIG}}));
      expect(pins(world)).to.deep.equal(pinArgs({...world.sandbox, kubeconfig: path}, KIND_NAMES));
    });
  }

  for (const [auth, current] of [
    ['certificate-files', undefined],
    ['exec', 'gone'],
  ] as const) {
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

  it('that is a pipe is read once, and handed on as one of our own', async function () {
    if (process.platform === 'win32') this.skip();
    const pipe = join(world.sandbox.root, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const text = edited(world, () => undefined);
    for (const [args, KUBECONFIG] of [
      [['--kubeconfig', pipe], undefined],
      [[], pipe],
    ] as const) {
      for (const proxy of [{}, PROXY]) {
        const written = writeFile(pipe, text);
        expectBuilt(await world.tiltbuild([...args, ...BUILD], {env: {KUBECONFIG, ...proxy}}));
        await written;
      }
    }
    for (const {kubeconfigs} of world.sandbox.invocations()) {
      expect(kubeconfigs.map(({path}) => path.startsWith(world.sandbox.tmp))).to.deep.equal([true]);
    }
  });

  for (const [what, edit] of [
    ['a context with the empty name', (config) => rename(config, '')],
    ['a context whose name has a NUL', (config) => rename(config, 'a\0b')],
    ['extensions of nothing', (config) => Object.assign(config.clusters[0].cluster, {extensions: [null]})],
  ] as readonly (readonly [string, (config: ReturnType<typeof parse>) => void])[]) {
    it(`works with ${what}`, async () => {
      world.sandbox.writeKubeconfig(edited(world, edit));
      for (const env of [{}, PROXY]) expectBuilt(await world.tiltbuild(BUILD, {env}));
    });
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
    const script = `#!${process.execPath}
      const fs = process.getBuiltinModule('fs');
      const partial = process.argv[1] + '.' + process.pid;
      fs.writeFileSync(partial, ${JSON.stringify(moved)});
      fs.renameSync(partial, ${JSON.stringify(sandbox.kubeconfig)});
      import(${JSON.stringify(command)});\n`;
    writeFileSync(switcher, script, {mode: 0o700});
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
