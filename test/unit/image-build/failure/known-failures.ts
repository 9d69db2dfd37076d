/** Owns the failures of a build that are known: what the delegate says of each, and where. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {parse} from 'yaml';
import type {BuildRequest} from '../../../../src/image-build/build-request.ts';
import {explainFailure} from '../../../../src/image-build/failure/build-hints.ts';
import {FaultWatcher} from '../../../../src/image-build/failure/builder-faults.ts';
import type {Hint} from '../../../../src/image-build/failure/failure-scene.ts';
import {buildRequest} from '../../builder/builder-world.ts';

export interface Scene {
  readonly pullSecret?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly asked?: Partial<BuildRequest>;
}

export function recorded(name: string): string {
  return parse(readFileSync(join(import.meta.dirname, `../../../fixtures/recordings/${name}.yaml`), 'utf8'))
    .stderr;
}

export function wordsOf(stderr: string) {
  const watcher = new FaultWatcher({builder: 'buildkit', namespace: 'ns'});
  watcher.observe(Buffer.from(stderr));
  return watcher.words();
}

export function filesOf(files: Readonly<Record<string, string>>) {
  return {
    join: (...parts: string[]) => parts.join('/'),
    kindOf: (path: string) => (path === '.' ? 'directory' : path in files ? 'file' : 'missing') as 'file',
    readText: async (path: string) => files[path],
  };
}

export async function explain(
  stderr: string,
  {pullSecret, files = {}, asked = {}}: Scene = {},
): Promise<Hint | undefined> {
  const words = wordsOf(stderr);
  return words === undefined
    ? undefined
    : await explainFailure(words, {
        asked: buildRequest(asked),
        pullSecret,
        namespace: 'ns',
        platform: 'linux',
        files: filesOf(files),
      });
}

export const solve = (error: string) => `Error: failed to solve: ${error}\n`;
export const pull = (cause: string, image = 'ghcr.io/me/base:1') =>
  solve(`${image}: failed to resolve source metadata for ${image}: ${cause}`);
const head = (cause: string) =>
  `failed to do request: Head "https://ghcr.io/v2/me/base/manifests/1": ${cause}`;
export const step = (command: string, end: string, output: readonly string[] = []) =>
  [
    `#3 [2/2] RUN ${command}`,
    ...output.map((line) => `#3 0.100 ${line}`),
    `#3 ERROR: process ${JSON.stringify(command)} did not complete successfully: ${end}`,
    '------',
    ` > [2/2] RUN ${command}:`,
    ...output.map((line) => `#3 0.100 ${line}`),
    '------',
    solve(`process ${JSON.stringify(command)} did not complete successfully: ${end}`),
  ].join('\n');

const FOREIGN = step('/bin/sh -c make', 'exit code: 1', ['exec /bin/sh: exec format error']);
export const OUT_OF_DISK =
  'failed to compute cache key: failed to copy: write /var/lib/buildkit/ns_b/content/ingest/5f/data: no space left on device';
export const CHECKSUM = 'failed to compute cache key: failed to calculate checksum of ref x1::y2:';

/** A name, what it is, what the delegate says, the scene, and words that our sentence has. */
export const KNOWN: readonly (readonly [string, string, string, Scene, readonly string[]])[] = [
  [
    'dockerfile-syntax',
    'a syntax error, with the line',
    recorded('dockerfile-syntax'),
    {files: {'Dockerfile.syn': 'FROM scratch\r\nCOPPY . /x\r\n'}, asked: {file: 'Dockerfile.syn'}},
    ['Dockerfile.syn, line 2: unknown instruction: COPPY (did you mean COPY?)', '2 | COPPY . /x'],
  ],
  [
    'dockerfile-syntax-older',
    'a syntax error of another tongue',
    solve('Dockerfile parse error line 7: x'),
    {},
    ['./Dockerfile, line 7: x'],
  ],
  [
    'dockerfile-syntax-in-variable',
    'a syntax error in a variable',
    recorded('dockerfile-syntax'),
    {asked: {fileVariable: 'TEXT'}},
    ['The Dockerfile in TEXT, line 2:'],
  ],
  [
    'dockerfile-missing',
    'a Dockerfile that is missing',
    recorded('dockerfile-missing'),
    {asked: {file: 'nope'}},
    ['no Dockerfile "nope"'],
  ],
  [
    'stage-missing',
    'a stage that is missing',
    solve('target stage "prod" could not be found'),
    {asked: {file: 'D'}},
    ['D has no stage "prod".', '--target'],
  ],
  [
    'copy-missing',
    'a file that is missing',
    recorded('copy-missing'),
    {},
    ['no "missing" in the build context "."'],
  ],
  [
    'copy-ignored',
    'a file that .dockerignore leaves out',
    recorded('copy-missing'),
    {files: {'./missing': '', './.dockerignore': '# x\nmiss*\n'}},
    ['"missing" is in', 'the rule "miss*" (./.dockerignore, line 2)', '!missing'],
  ],
  [
    'copy-ignored-by-own-file',
    "a file that the Dockerfile's own ignore file leaves out",
    solve(`${CHECKSUM} "/a/b": not found`),
    {files: {'./a/b': '', 'D.dockerignore': 'a', './.dockerignore': 'a/b'}, asked: {file: 'D'}},
    ['(D.dockerignore, line 1)'],
  ],
  [
    'copy-ignored-by-flag',
    'a file that is left out by --ignore',
    recorded('copy-missing'),
    {files: {'./missing': ''}, asked: {ignore: ['missing']}},
    ['the rule "missing" (--ignore)'],
  ],
  [
    'copy-not-in-only',
    'a file that is not in --only',
    recorded('copy-missing'),
    {files: {'./missing': ''}, asked: {only: ['src']}},
    ['not among what --only names', '--only missing'],
  ],
  [
    'copy-not-sent',
    'a file that a rule brings back',
    recorded('copy-missing'),
    {files: {'./missing': '', './.dockerignore': '*\n!missing\n'}},
    ['was not sent as it is', 'symbolic link'],
  ],
  [
    'copy-no-match',
    'a pattern that nothing matches',
    solve(`${CHECKSUM} "/*.txt": not found`),
    {},
    ['Nothing', 'matches "*.txt"'],
  ],
  [
    'copy-from-stage',
    'a file that a stage has not',
    `------\n > [web 2/3] COPY --link --from=build /out /x:\n------\n${solve(`${CHECKSUM} "/out": not found`)}`,
    {},
    ['no "/out" in "build"'],
  ],
  [
    'push-no-secret',
    'a push without a secret',
    recorded('push-401-no-secret'),
    {},
    [
      'push 10.250.0.1:5001/app:dev2 to 10.250.0.1:5001 (401 Unauthorized), and no pull secret was used',
      'docker-registry docker-registry --namespace ns --docker-server=10.250.0.1:5001 ',
    ],
  ],
  [
    'push-missing-secret',
    'a push with a secret that is not there',
    recorded('push-401-missing-secret'),
    {pullSecret: 'nope'},
    ['"nope" is not in namespace "ns"'],
  ],
  [
    'push-opaque-secret',
    'a push with a secret of another type',
    recorded('push-401-opaque-secret'),
    {pullSecret: 'opaque'},
    ['"opaque" in namespace "ns" is no pull secret'],
  ],
  [
    'push-forbidden',
    'a push that the account may not do',
    solve(
      'failed to push ghcr.io/me/app:1: unexpected status from POST request to https://ghcr.io/v2/me/app/blobs/uploads/: 403 Forbidden',
    ),
    {pullSecret: 'reg'},
    ['with the pull secret "reg"', 'the right to push', 'exactly the key "ghcr.io"'],
  ],
  [
    'pull-docker-hub',
    'a pull from Docker Hub',
    pull(
      'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
      'docker.io/me/private:1',
    ),
    {pullSecret: 'reg'},
    ['pull docker.io/me/private:1 from docker.io', 'exactly the key "https://index.docker.io/v1/"'],
  ],
  [
    'pull-no-token',
    'a token that is not given',
    pull(
      'failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=x: 403 Forbidden',
    ),
    {},
    ['403 Forbidden', 'no pull secret was used', 'does not exist'],
  ],
  [
    'pull-layer',
    'a layer that may not be read',
    solve(
      'failed to compute cache key: failed to copy: httpReadSeeker: failed open: unexpected status code https://ghcr.io/v2/me/base/blobs/sha256:1: 401 Unauthorized',
    ),
    {},
    ['pull an image from ghcr.io (401 Unauthorized)'],
  ],
  [
    'base-image-missing',
    'a base image that is not there',
    pull('docker.io/library/node:99: not found', 'docker.io/library/node:99'),
    {},
    ['docker.io has no image docker.io/library/node:99', 'FROM'],
  ],
  [
    'exec-format',
    'a foreign architecture, as the step prints it',
    FOREIGN,
    {},
    ['/bin/sh cannot run', 'processor architecture'],
  ],
  [
    'exec-format-platform',
    'a foreign architecture, as runc tells it',
    step(
      '/bin/sh -c make',
      'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/bin/sh": exec format error: unknown',
    ),
    {asked: {platforms: ['linux/arm64']}},
    ['/bin/sh cannot run', '(linux/arm64)', '--platform linux/ARCH'],
  ],
  [
    'disk-full',
    'a disk that is full',
    solve(OUT_OF_DISK),
    {},
    ['disk', 'kubectl tiltbuild builder prune buildkit --namespace ns'],
  ],
  [
    'dns',
    'a host that nobody knows',
    pull(head('dial tcp: lookup ghcr.io on 10.96.0.10:53: no such host')),
    {},
    ['cannot find the host ghcr.io', 'name server 10.96.0.10:53', '--env HTTPS_PROXY='],
  ],
  [
    'dns-timeout',
    'a name server that is silent',
    pull(head('dial tcp: lookup ghcr.io on 10.96.0.10:53: read udp 10.0.0.1:9->10.96.0.10:53: i/o timeout')),
    {},
    ['cannot find the host ghcr.io'],
  ],
  [
    'dns-misbehaving',
    'a name server that is ill',
    pull(head('dial tcp: lookup ghcr.io: server misbehaving')),
    {},
    ["the node's name server"],
  ],
  [
    'dns-add',
    'an ADD of a host that nobody knows',
    solve('failed to load cache key: Get "https://no.such/x": dial tcp: lookup no.such: no such host'),
    {},
    ['cannot find the host no.such'],
  ],
  [
    'proxy-localhost',
    'a proxy on the machine of the user',
    pull(head('proxyconnect tcp: dial tcp 127.0.0.1:3128: connect: connection refused')),
    {},
    [
      "The builder's proxy is 127.0.0.1",
      'not your machine',
      'builder create buildkit --replace --namespace ns',
    ],
  ],
  [
    'proxy-unknown',
    'a proxy by a name that nobody knows',
    pull(head('proxyconnect tcp: dial tcp: lookup proxy.corp on 10.96.0.10:53: no such host')),
    {},
    ["The builder's proxy proxy.corp cannot be reached"],
  ],
  [
    'registry-localhost',
    'a registry on the machine of the user',
    solve(
      'failed to push localhost:5000/app:1: failed to do request: Head "http://localhost:5000/v2/app/blobs/sha256:1": dial tcp 127.0.0.1:5000: connect: connection refused',
    ),
    {},
    ["localhost:5000 is the builder's own pod"],
  ],
  [
    'registry-unreachable',
    'a registry that is not reached',
    pull(head('dial tcp 10.1.2.3:443: i/o timeout')),
    {},
    ['cannot reach ghcr.io (10.1.2.3:443: i/o timeout)'],
  ],
];
