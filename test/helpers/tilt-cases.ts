/** Owns the table of kubectl_build calls: what each makes of Tilt's custom_build, and what the delegate is given. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';

/** Several words are one text, unless there is a blank in one of them. */
type Words = string | readonly string[];

/** What comes of a call, as far as it is not as in a plain one. */
interface Made {
  /** What the Tiltfile does before. */
  readonly before?: string;
  /** The command behind `--context CONTEXT --image NAME --ref-file FILE`. */
  readonly command?: Words;
  readonly deps?: string;
  /** Other arguments of custom_build. */
  readonly others?: Readonly<Record<string, unknown>>;
  /** By which image the reference file names it. */
  readonly image?: string;
  /** Words that the delegate's first run has side by side. DIRECTORY is the Tiltfile's. */
  readonly delegated?: readonly Words[];
  readonly dockerfile?: string;
}

/** What lies beside the Tiltfile. */
export const TILT_FILES: Readonly<Record<string, string>> = {
  Dockerfile: 'FROM scratch\nCOPY index.html /www/index.html\n',
  'index.html': '<p>hello</p>\n',
  'api/Dockerfile': 'FROM busybox\n',
  'api/.dockerignore': 'tmp\n',
  'api/main.go': 'package main\n',
  'deploy/Web.Dockerfile': 'FROM alpine\n',
  'deploy/Web.Dockerfile.dockerignore': '# a comment\r\nnode_modules\r\n!keep\r\n\r\n',
  'key.pem': 'a key\n',
  'token.txt': 'a token\n',
  '-odd/Dockerfile': 'FROM odd\n',
};

export function writeTiltFiles(directory: string): void {
  for (const [path, text] of Object.entries(TILT_FILES)) {
    mkdirSync(dirname(join(directory, path)), {recursive: true});
    writeFileSync(join(directory, path), text);
  }
}

/** What no shell may touch. */
const AWKWARD = 'two  spaces "double" \'single\' $HOME `id` %PATH% ^ & | < > \\ ! ünïcode 🚢\nand a line';
const CONTENTS = `FROM busybox\nRUN echo '${AWKWARD.split('\n')[0]}'\n`;
const VARIABLE = 'KUBECTL_TILTBUILD_DOCKERFILE';
const SECRETS =
  '--secret id=a,src=token.txt --secret id=b,env=TOKEN --secret type=env,id=TOKEN --secret id=TOKEN';
const ARGUMENTS = ['--build-arg', `A=${AWKWARD}`, '--build-arg', 'FROM_ENV', '--build-arg', '-t=x'];
const TOLD = "target='prod', network='default', platform='linux/amd64', labels={'team': 'web', 'n': 1}";
/** As Starlark, and JSON, write it. */
const written = (text: string) => JSON.stringify(text);
const wordsOf = (words: Words) => (typeof words === 'string' ? words.split(' ') : words);

type Row = readonly [what: string, call: string, made: Made];

/** What only the builtin engine does. */
const BUILTIN_ROWS: readonly Row[] = [
  [
    'the engine, and limits of RUN steps',
    "'localhost/web', '.', engine='builtin', shm_size='64m', ulimit=['nofile=1024:2048', 'nproc=64']",
    {command: '--engine builtin --shm-size 64m --ulimit nofile=1024:2048 --ulimit nproc=64 .'},
  ],
  ['a number of images to keep', "'localhost/web', '.', keep_images=3", {command: '--keep-images 3 .'}],
  ['k3d', "'localhost/web', '.', allow_k3d=True", {command: '--allow-k3d .'}],
  [
    'what a node means that cannot get the image',
    "'localhost/web', '.', spread='strict'",
    {command: '--spread strict .'},
  ],
  [
    'build contexts of other kinds',
    "'localhost/web', '.', only='index.html', build_contexts={'base': 'docker-image://alpine', 'src': 'https://example.org/src.git', 'other': 'target:dev'}",
    {
      command:
        '--only index.html --build-context base=docker-image://alpine --build-context src=https://example.org/src.git --build-context other=target:dev .',
      others: {ignore: ['**', '!index.html']},
    },
  ],
  [
    'a build context that is a directory, which Tilt watches without the filters of the other one',
    "'localhost/web', '.', ignore='docs', build_contexts={'api': 'api'}",
    {command: '--ignore docs --build-context api=api .', deps: '. Dockerfile api'},
  ],
];

const ROWS: readonly Row[] = [
  ['nothing but an image and a context', "'localhost/web', '.'", {}],
  [
    'a context with an ignore file',
    "'localhost/web', 'api'",
    {command: 'api', deps: 'api api/Dockerfile api/.dockerignore', dockerfile: 'FROM busybox\n'},
  ],
  [
    'a Dockerfile elsewhere with an ignore file of its own',
    "'localhost/web', '.', dockerfile='deploy/Web.Dockerfile', ignore='docs'",
    {
      command: '--file deploy/Web.Dockerfile --ignore docs .',
      deps: '. deploy/Web.Dockerfile deploy/Web.Dockerfile.dockerignore',
      others: {ignore: ['node_modules', '!keep', 'docs']},
      dockerfile: 'FROM alpine\n',
      // What nothing leaves out need not be brought back.
    },
  ],
  [
    'a Dockerfile in the Tiltfile',
    `'localhost/web', '.', dockerfile_contents=${written(CONTENTS)}`,
    {
      command: `--file-env ${VARIABLE} .`,
      deps: '.',
      others: {env: {[VARIABLE]: CONTENTS}},
      dockerfile: CONTENTS,
    },
  ],
  [
    'one as a blob',
    "'localhost/web', '.', dockerfile_contents=blob('FROM blob\\n'), only='index.html'",
    {
      command: `--file-env ${VARIABLE} --only index.html .`,
      deps: '.',
      others: {env: {[VARIABLE]: 'FROM blob\n'}, ignore: ['**', '!index.html']},
      dockerfile: 'FROM blob\n',
    },
  ],
  [
    'only and ignore',
    "'localhost/web', 'api', only=['main.go', 'go.mod'], ignore=['*_test.go']",
    {
      command: '--only main.go --only go.mod --ignore *_test.go api',
      deps: 'api api/Dockerfile api/.dockerignore',
      others: {ignore: ['**', '!main.go', '!go.mod', '*_test.go']},
      dockerfile: 'FROM busybox\n',
    },
  ],
  [
    'build arguments that no shell may touch, and one of the environment',
    `'localhost/web', '.', build_args={'A': ${written(AWKWARD)}, 'FROM_ENV': '', '-t': 'x'}`,
    {
      command: '--build-arg A --build-arg FROM_ENV --build-arg -t .',
      others: {env: {KUBECTL_TILTBUILD_BUILD_ARG_A: AWKWARD, 'KUBECTL_TILTBUILD_BUILD_ARG_-t': 'x'}},
      delegated: [ARGUMENTS],
    },
  ],
  [
    'a string where there may be several',
    "'localhost/web', '.', ssh='id=key.pem', extra_hosts='db:10.0.0.1', cache_from='reg/web:cache', cache_to='reg/web:cache', extra_tag='localhost/web:dev'",
    {
      command:
        '--ssh id=key.pem --add-host db:10.0.0.1 --cache-from reg/web:cache --cache-to reg/web:cache --tag localhost/web:dev --qualify .',
      delegated: [
        '--ssh id=DIRECTORY/key.pem',
        '--add-host db:10.0.0.1',
        '--cache-from reg/web:cache --cache-to reg/web:cache',
        '--tag localhost/web:dev',
      ],
    },
  ],
  [
    'several where there may be one',
    "'localhost/web', '.', ssh=['a=key.pem', 'b=key.pem'], extra_hosts=['a:1.1.1.1', 'b:2.2.2.2'], cache_from=['a', 'b'], extra_tag=['web:1', 'ghcr.io/me/web:2']",
    {
      command:
        '--ssh a=key.pem --ssh b=key.pem --add-host a:1.1.1.1 --add-host b:2.2.2.2 --cache-from a --cache-from b --tag web:1 --tag ghcr.io/me/web:2 --qualify .',
      delegated: ['--tag docker.io/library/web:1 --tag ghcr.io/me/web:2'],
    },
  ],
  [
    'secrets of files and of the environment',
    "'localhost/web', '.', secret=['id=a,src=token.txt', 'id=b,env=TOKEN', 'type=env,id=TOKEN', 'id=TOKEN']",
    {
      before: "os.environ['TOKEN'] = 's3cret'",
      command: `${SECRETS} .`,
      delegated: ['--secret id=a,src=DIRECTORY/token.txt'],
    },
  ],
  [
    'flags that are on or off',
    "'localhost/web', '.', pull=True, no_cache=True",
    {command: '--no-cache --pull .', delegated: ['--no-cache', '--pull']},
  ],
  [
    'what the build is told besides',
    `'localhost/web', '.', ${TOLD}`,
    {
      command: '--target prod --label team=web --label n=1 --platform linux/amd64 --network default .',
      delegated: ['--target prod', '--label team=web --label n=1', '--platform linux/amd64'],
    },
  ],
  [
    'where it is built, and with which pull secret',
    "'localhost/web', '.', namespace='default', builder='buildkit', registry_secret='docker-registry'",
    {
      command: '--namespace default --builder buildkit --registry-secret docker-registry .',
      delegated: ['--builder buildkit', '--registry-secret docker-registry'],
    },
  ],
  [
    'the pull secret of all images',
    "'localhost/web', '.'",
    {
      before: "kubectl_build_registry_secret('docker-registry')",
      command: '--registry-secret docker-registry .',
      delegated: ['--registry-secret docker-registry'],
    },
  ],
  [
    'no pull secret',
    "'localhost/web', '.', registry_secret=''",
    {before: "kubectl_build_registry_secret('docker-registry')", command: ['--registry-secret', '', '.']},
  ],
  ['a push', "'ghcr.io/me/web', '.', push=True", {image: 'ghcr.io/me/web', command: '--push .'}],
  [
    'images that it is built on',
    "'localhost/web', '.', image_deps=['localhost/base', 'localhost/tools']",
    {
      command: '--build-arg TILT_IMAGE_0 --build-arg TILT_IMAGE_1 .',
      others: {image_deps: ['localhost/base', 'localhost/tools']},
      delegated: ['--build-arg TILT_IMAGE_0 --build-arg TILT_IMAGE_1'],
    },
  ],
  [
    'what is for Tilt itself',
    "'localhost/web', '.', live_update=[sync('.', '/app')], match_in_env_vars=True, entrypoint=['/app', '-v'], container_args=['x']",
    {
      others: {
        live_update: [{local_path: '.', remote_path: '/app'}],
        match_in_env_vars: true,
        entrypoint: ['/app', '-v'],
        container_args: ['x'],
      },
    },
  ],
  [
    'a name with a port, slashes and dots',
    "'reg.lan:5000/team.a/web_app', '.'",
    {image: 'reg.lan:5000/team.a/web_app'},
  ],
  ['a plain name, and a tag to choose images by', "'web:dev', '.'", {image: 'web'}],
  [
    'a context that looks like a flag',
    "'localhost/web', '-odd'",
    {command: './-odd', deps: '-odd -odd/Dockerfile', dockerfile: 'FROM odd\n'},
  ],
];

const toCase = ([what, call, made]: Row) => ({
  image: 'localhost/web',
  before: '',
  others: {},
  ...made,
  what,
  call,
  command: wordsOf(made.command ?? '.'),
  deps: wordsOf(made.deps ?? '. Dockerfile'),
  delegated: (made.delegated ?? []).map(wordsOf),
});

export const TILT_CASES = ROWS.map(toCase);
export const BUILTIN_TILT_CASES = BUILTIN_ROWS.map(toCase);

/** What one of the two builds of a call is given, as far as it is not as in a plain one. */
interface ChildBuild {
  readonly ref: string;
  readonly image?: string;
  /** EXTENSION is the directory that the extension is loaded in. */
  readonly command: Words;
  readonly deps: Words;
  readonly env?: Readonly<Record<string, string>>;
  readonly dockerfile?: string;
  readonly [other: string]: unknown;
}

const SYNC = {local_path: '.', remote_path: '/app'};
const ON_FIRST = `--file-env ${VARIABLE} --build-arg TILT_IMAGE_0`;
const restarting = (base: string, file: string, entrypoint: readonly string[]) =>
  `ARG TILT_IMAGE_0=${base}
FROM tiltdev/restart-helper:2025-02-17 AS restart-helper
FROM $TILT_IMAGE_0
COPY --from=restart-helper /tilt-restart-wrapper /entr /
COPY --chmod=666 <<EOF ${file}
EOF
ENTRYPOINT [${entrypoint.map((word) => JSON.stringify(word)).join(', ')}]
`;
const WRAPPER = ['/tilt-restart-wrapper', '--watch_file=/tmp/.restart-proc'];
const QUOTED = ['/app', 'a "b" $C \\d', 'ünï'];

const CHILD_ROWS: readonly (readonly [what: string, call: string, ...builds: readonly ChildBuild[]])[] = [
  [
    'an entrypoint that restarts',
    "kubectl_build_with_restart('localhost/web', '.', '/app --port 80', [sync('.', '/app')])",
    {ref: 'localhost/web-tilt_restart_base', command: '.', deps: '. Dockerfile'},
    {
      ref: 'localhost/web',
      command: `--file-env ${VARIABLE} --ignore ** --build-arg TILT_IMAGE_0 EXTENSION`,
      deps: 'EXTENSION',
      ignore: ['**'],
      image_deps: ['localhost/web-tilt_restart_base'],
      live_update: [SYNC, {cmd: 'date > /tmp/.restart-proc', trigger: []}],
      entrypoint: [...WRAPPER, 'sh', '-c', '/app --port 80'],
      dockerfile: restarting('localhost/web-tilt_restart_base', '/tmp/.restart-proc', [
        ...WRAPPER,
        'sh',
        '-c',
        '/app --port 80',
      ]),
    },
  ],
  [
    'an entrypoint that restarts, with all arguments',
    `kubectl_build_with_restart('web:dev', 'api', entrypoint=${JSON.stringify(QUOTED)}, live_update=(sync('.', '/app'),),
      base_suffix='-first', restart_file='/run/again', trigger=['a', 'b'], exit_policy='continue', build_args={'A': 's3cret'},
      dockerfile='Dockerfile', match_in_env_vars=True, only=['main.go'], target='dev', ssh='id=key.pem', secret='id=TOKEN',
      network='host', extra_tag='web:x', cache_from='c', cache_to='d', pull=True, platform='linux/arm64', container_args=['-v'],
      extra_hosts='a:1.1.1.1',
      labels={'l': 'm'}, no_cache=True, image_deps=['localhost/base'], engine='builtin',
      namespace='default', builder='buildkit', registry_secret='docker-registry', build_contexts={'k': 'docker-image://k'}, shm_size='1m', ulimit='nofile=1',
      keep_images=2, spread='none')`,
    {
      ref: 'web-first',
      command:
        '--namespace default --builder buildkit --engine builtin --registry-secret docker-registry --file Dockerfile --only main.go --build-arg A --build-arg TILT_IMAGE_0 --target dev --label l=m --platform linux/arm64 --ssh id=key.pem --secret id=TOKEN --network host --build-context k=docker-image://k --shm-size 1m --ulimit nofile=1 --keep-images 2 --add-host a:1.1.1.1 --cache-from c --cache-to d --no-cache --pull api',
      deps: 'api Dockerfile api/.dockerignore',
      ignore: ['**', '!main.go'],
      env: {KUBECTL_TILTBUILD_BUILD_ARG_A: 's3cret'},
      image_deps: ['localhost/base'],
    },
    {
      ref: 'web:dev',
      image: 'web',
      command: `--namespace default --builder buildkit --engine builtin --registry-secret docker-registry --file-env ${VARIABLE} --ignore ** --build-arg TILT_IMAGE_0 --platform linux/arm64 --keep-images 2 --spread none --tag web:x --qualify EXTENSION`,
      deps: 'EXTENSION',
      ignore: ['**'],
      image_deps: ['web-first'],
      live_update: [SYNC, {cmd: 'date > /run/again', trigger: ['a', 'b']}],
      match_in_env_vars: true,
      container_args: ['-v'],
      entrypoint: ['/tilt-restart-wrapper', '--watch_file=/run/again', '--entr_flags=-r', ...QUOTED],
      dockerfile: restarting('web-first', '/run/again', [
        '/tilt-restart-wrapper',
        '--watch_file=/run/again',
        '--entr_flags=-r',
        ...QUOTED,
      ]),
    },
  ],
  [
    'instructions that are added',
    "kubectl_build_sub('localhost/web', '.', ['RUN apk add vim', 'COPY . /more'], live_update=[sync('.', '/app')])",
    {ref: 'localhost/web-tilt_sub_base', command: '.', deps: '. Dockerfile'},
    {
      ref: 'localhost/web',
      command: `${ON_FIRST} .`,
      deps: '.',
      image_deps: ['localhost/web-tilt_sub_base'],
      live_update: [SYNC],
      dockerfile:
        'ARG TILT_IMAGE_0=localhost/web-tilt_sub_base\nFROM $TILT_IMAGE_0\nRUN apk add vim\nCOPY . /more\n',
    },
  ],
  [
    'instructions that are added, with a context of their own and arguments of both',
    `kubectl_build_sub('localhost/web', '.', ['ADD . /bar'], 'api', '-orig', build_args={'A': 's3cret'}, target='dev', only=['main.go'],
      entrypoint='/run', secret='id=TOKEN', extra_tag='localhost/web:x', cache_from='c', cache_to='d', pull=True, no_cache=True,
      dockerfile_contents='FROM x', namespace='default')`,
    {
      ref: 'localhost/web-orig',
      command: `--namespace default --file-env ${VARIABLE} --only main.go --build-arg A --target dev --secret id=TOKEN --cache-from c --cache-to d --no-cache --pull .`,
      deps: '.',
      ignore: ['**', '!main.go'],
      env: {KUBECTL_TILTBUILD_BUILD_ARG_A: 's3cret'},
      dockerfile: 'FROM x',
    },
    {
      ref: 'localhost/web',
      command: `--namespace default --file-env ${VARIABLE} --only main.go --build-arg A --build-arg TILT_IMAGE_0 --secret id=TOKEN --cache-from c --no-cache --tag localhost/web:x --qualify api`,
      deps: 'api api/.dockerignore',
      ignore: ['**', '!main.go'],
      env: {KUBECTL_TILTBUILD_BUILD_ARG_A: 's3cret'},
      image_deps: ['localhost/web-orig'],
      entrypoint: '/run',
      dockerfile: 'ARG TILT_IMAGE_0=localhost/web-orig\nFROM $TILT_IMAGE_0\nADD . /bar\n',
    },
  ],
];

export const CHILD_CASES = CHILD_ROWS.map(([what, call, ...builds]) => ({
  what,
  call,
  builds: builds.map((build) => ({
    image: build.ref,
    ...build,
    command: wordsOf(build.command),
    deps: wordsOf(build.deps),
  })),
}));
