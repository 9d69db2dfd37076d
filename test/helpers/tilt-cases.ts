/** Owns the table of kubectl_build calls: what each makes of Tilt's custom_build, and what the delegate is given. */

export interface TiltCase {
  readonly what: string;
  /** The arguments of kubectl_build, as in a Tiltfile. */
  readonly call: string;
  /** What the Tiltfile does before. */
  readonly before?: string;
  /** The command behind `--context CONTEXT --image NAME --ref-file FILE`. */
  readonly command: readonly string[];
  readonly deps: readonly string[];
  /** Those arguments of custom_build that are not as in a plain call. */
  readonly others?: Readonly<Record<string, unknown>>;
  /** By which image the reference file names it: `localhost/web` unless told. */
  readonly image?: string;
  /** Words that the delegate's first run has side by side. */
  readonly delegated: readonly (readonly string[])[];
  /** Its Dockerfile, where that is not `Dockerfile`. */
  readonly dockerfile?: string;
  /** The ignore file beside its Dockerfile. */
  readonly ignoreFile?: string;
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

/** What no shell may touch. */
const AWKWARD = 'two  spaces "double" \'single\' $HOME `id` %PATH% ^ & | < > \\ ! ünïcode 🚢\nand a line';
/** As Starlark, and JSON, write it. */
const written = (text: string) => JSON.stringify(text);
const CONTENTS = `FROM busybox\nRUN echo '${AWKWARD.split('\n')[0]}'\n`;
const VARIABLE = 'KUBECTL_TILTBUILD_DOCKERFILE';
const HERE = ['.', 'Dockerfile'];

export const TILT_CASES: readonly TiltCase[] = [
  {
    what: 'nothing but an image and a context',
    call: "'localhost/web', '.'",
    command: ['.'],
    deps: HERE,
    delegated: [],
  },
  {
    what: 'a context with an ignore file',
    call: "'localhost/web', 'api'",
    command: ['api'],
    deps: ['api', 'api/Dockerfile', 'api/.dockerignore'],
    delegated: [],
    dockerfile: 'FROM busybox\n',
  },
  {
    what: 'a Dockerfile elsewhere with an ignore file of its own',
    call: "'localhost/web', '.', dockerfile='deploy/Web.Dockerfile', ignore='docs'",
    command: ['--file', 'deploy/Web.Dockerfile', '--ignore', 'docs', '.'],
    deps: ['.', 'deploy/Web.Dockerfile', 'deploy/Web.Dockerfile.dockerignore'],
    others: {ignore: ['node_modules', '!keep', 'docs']},
    delegated: [],
    dockerfile: 'FROM alpine\n',
    // What nothing leaves out need not be brought back.
    ignoreFile: 'node_modules\ndocs\n',
  },
  {
    what: 'a Dockerfile in the Tiltfile',
    call: `'localhost/web', '.', dockerfile_contents=${written(CONTENTS)}`,
    command: ['--file-env', VARIABLE, '.'],
    deps: ['.'],
    others: {env: {[VARIABLE]: CONTENTS}},
    delegated: [],
    dockerfile: CONTENTS,
  },
  {
    what: 'one as a blob',
    call: "'localhost/web', '.', dockerfile_contents=blob('FROM blob\\n'), only='index.html'",
    command: ['--file-env', VARIABLE, '--only', 'index.html', '.'],
    deps: ['.'],
    others: {env: {[VARIABLE]: 'FROM blob\n'}, ignore: ['**', '!index.html']},
    delegated: [],
    dockerfile: 'FROM blob\n',
    ignoreFile: '**\n!index.html\n',
  },
  {
    what: 'only and ignore',
    call: "'localhost/web', 'api', only=['main.go', 'go.mod'], ignore=['*_test.go']",
    command: ['--only', 'main.go', '--only', 'go.mod', '--ignore', '*_test.go', 'api'],
    deps: ['api', 'api/Dockerfile', 'api/.dockerignore'],
    others: {ignore: ['**', '!main.go', '!go.mod', '*_test.go']},
    delegated: [],
    dockerfile: 'FROM busybox\n',
    ignoreFile: '**\n!main.go\n!go.mod\n',
  },
  {
    what: 'build arguments that no shell may touch, and one of the environment',
    call: `'localhost/web', '.', build_args={'A': ${written(AWKWARD)}, 'FROM_ENV': '', '-t': 'x'}`,
    command: ['--build-arg', `A=${AWKWARD}`, '--build-arg', 'FROM_ENV', '--build-arg', '-t=x', '.'],
    deps: HERE,
    delegated: [['--build-arg', `A=${AWKWARD}`, '--build-arg', 'FROM_ENV', '--build-arg', '-t=x']],
  },
  {
    what: 'a string where there may be several',
    call: "'localhost/web', '.', ssh='id=key.pem', extra_hosts='db:10.0.0.1', cache_from='reg/web:cache', cache_to='reg/web:cache', extra_tag='localhost/web:dev'",
    command: [
      ...['--ssh', 'id=key.pem', '--add-host', 'db:10.0.0.1'],
      ...[
        '--cache-from',
        'reg/web:cache',
        '--cache-to',
        'reg/web:cache',
        '--tag',
        'localhost/web:dev',
        '--qualify',
        '.',
      ],
    ],
    deps: HERE,
    delegated: [
      ['--ssh', 'id=key.pem'],
      ['--add-host', 'db:10.0.0.1'],
      ['--cache-from', 'reg/web:cache', '--cache-to', 'reg/web:cache'],
      ['--tag', 'localhost/web:dev'],
    ],
  },
  {
    what: 'several where there may be one',
    call: "'localhost/web', '.', ssh=['a=key.pem', 'b=key.pem'], extra_hosts=['a:1.1.1.1', 'b:2.2.2.2'], cache_from=['a', 'b'], extra_tag=['web:1', 'ghcr.io/me/web:2']",
    command: [
      ...['--ssh', 'a=key.pem', '--ssh', 'b=key.pem', '--add-host', 'a:1.1.1.1', '--add-host', 'b:2.2.2.2'],
      ...[
        '--cache-from',
        'a',
        '--cache-from',
        'b',
        '--tag',
        'web:1',
        '--tag',
        'ghcr.io/me/web:2',
        '--qualify',
        '.',
      ],
    ],
    deps: HERE,
    delegated: [['--tag', 'docker.io/library/web:1', '--tag', 'ghcr.io/me/web:2']],
  },
  {
    what: 'secrets of files and of the environment',
    call: "'localhost/web', '.', secret=['id=a,src=token.txt', 'id=b,env=TOKEN', 'type=env,id=TOKEN', 'id=TOKEN']",
    before: "os.environ['TOKEN'] = 's3cret'",
    command: [
      ...['--secret', 'id=a,src=token.txt', '--secret', 'id=b,env=TOKEN'],
      ...['--secret', 'type=env,id=TOKEN', '--secret', 'id=TOKEN', '.'],
    ],
    deps: HERE,
    delegated: [['--secret', 'id=a,src=token.txt']],
  },
  {
    what: 'flags that are on or off',
    call: "'localhost/web', '.', pull=True, no_cache=True",
    command: ['--no-cache', '--pull', '.'],
    deps: HERE,
    delegated: [['--no-cache'], ['--pull']],
  },
  {
    what: 'what the build is told besides',
    call: "'localhost/web', '.', target='prod', network='default', platform='linux/amd64', labels={'team': 'web', 'n': 1}",
    command: [
      ...['--target', 'prod', '--label', 'team=web', '--label', 'n=1'],
      ...['--platform', 'linux/amd64', '--network', 'default', '.'],
    ],
    deps: HERE,
    delegated: [
      ['--target', 'prod'],
      ['--label', 'team=web', '--label', 'n=1'],
      ['--platform', 'linux/amd64'],
    ],
  },
  {
    what: 'where it is built, and with which pull secret',
    call: "'localhost/web', '.', namespace='default', builder='buildkit', registry_secret='docker-registry'",
    command: ['--namespace', 'default', '--builder', 'buildkit', '--registry-secret', 'docker-registry', '.'],
    deps: HERE,
    delegated: [
      ['--builder', 'buildkit'],
      ['--registry-secret', 'docker-registry'],
    ],
  },
  {
    what: 'the pull secret of all images',
    before: "kubectl_build_registry_secret('docker-registry')",
    call: "'localhost/web', '.'",
    command: ['--registry-secret', 'docker-registry', '.'],
    deps: HERE,
    delegated: [['--registry-secret', 'docker-registry']],
  },
  {
    what: 'no pull secret',
    before: "kubectl_build_registry_secret('docker-registry')",
    call: "'localhost/web', '.', registry_secret=''",
    command: ['--registry-secret', '', '.'],
    deps: HERE,
    delegated: [],
  },
  {
    what: 'a push',
    call: "'ghcr.io/me/web', '.', push=True",
    image: 'ghcr.io/me/web',
    command: ['--push', '.'],
    deps: HERE,
    delegated: [],
  },
  {
    what: 'images that it is built on',
    call: "'localhost/web', '.', image_deps=['localhost/base', 'localhost/tools']",
    command: ['--build-arg', 'TILT_IMAGE_0', '--build-arg', 'TILT_IMAGE_1', '.'],
    deps: HERE,
    others: {image_deps: ['localhost/base', 'localhost/tools']},
    delegated: [['--build-arg', 'TILT_IMAGE_0', '--build-arg', 'TILT_IMAGE_1']],
  },
  {
    what: 'what is for Tilt itself',
    call: "'localhost/web', '.', live_update=[sync('.', '/app')], match_in_env_vars=True, entrypoint=['/app', '-v'], container_args=['x']",
    command: ['.'],
    deps: HERE,
    others: {
      live_update: [{local_path: '.', remote_path: '/app'}],
      match_in_env_vars: true,
      entrypoint: ['/app', '-v'],
      container_args: ['x'],
    },
    delegated: [],
  },
  {
    what: 'a name with a port, slashes and dots',
    call: "'reg.lan:5000/team.a/web_app', '.'",
    image: 'reg.lan:5000/team.a/web_app',
    command: ['.'],
    deps: HERE,
    delegated: [],
  },
  {
    what: 'a plain name, and a tag to choose images by',
    call: "'web:dev', '.'",
    image: 'web',
    command: ['.'],
    deps: HERE,
    delegated: [],
  },
  {
    what: 'a context that looks like a flag',
    call: "'localhost/web', '-odd'",
    command: ['./-odd'],
    deps: ['-odd', '-odd/Dockerfile'],
    delegated: [],
    dockerfile: 'FROM odd\n',
  },
];
