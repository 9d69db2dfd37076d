/** Owns explaining a RUN step that failed for a reason outside its command: line endings, and names it cannot resolve. */
import {type Advice, advise, command, flag} from '../../text/advice.ts';
import type {FailureScene, Hint} from './failure-scene.ts';

/** Larger scripts are rare, and reading them takes time. In bytes. */
const LONGEST_SCRIPT = 1_000_000;

/**
 * `process` is the command of a step that found no program, as BuildKit has it. Undefined unless a script in it, looked
 * up in the build context by its name, has Windows line endings.
 */
export async function explainLineEndings(
  process: string,
  {asked, local, files}: FailureScene,
): Promise<Hint | undefined> {
  if (local === undefined) return undefined;
  const names = new Set(findScripts(process));
  if (names.size === 0) return undefined;
  for (const {path, kind, size} of local.directory.walk(local.ignored)) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (kind !== 'file' || size > LONGEST_SCRIPT || !names.has(name)) continue;
    const text = await files.readText(files.join(asked.context, path)).catch(() => undefined);
    if (!text?.includes('\r\n')) continue;
    const pattern = name.includes('.') ? `*${name.slice(name.lastIndexOf('.'))}` : name;
    return {
      message: `"${path}" in the build context has Windows line endings (CRLF), and the carriage return counts as part of a name, so the program of that name was not found.`,
      remedy: [
        'Save it with Unix line endings (LF).',
        `If Git changes them, add this line to .gitattributes: ${pattern} text eol=lf`,
      ],
    };
  }
  return undefined;
}

/** Whatever in a command may be the name of a file, without its directory. */
function findScripts(process: string): readonly string[] {
  const words = process.replace(/^\S*\/(?:ba|da|a|z)?sh -\w*c /, '').split(/[\s;&|()<>'"`=]+/);
  return words.map((word) => word.slice(word.lastIndexOf('/') + 1)).filter((name) => name !== '');
}

/** As programs say that they cannot resolve a name, which some of them leave out. */
const UNRESOLVED: readonly RegExp[] = [
  // curl, git, cargo, dnf, composer.
  /Could not resolve host:? '?([\w.-]+)/,
  // apt.
  /(?:Temporary failure resolving|Could not resolve) '([\w.-]+)'/,
  // Node: npm, pnpm, Yarn.
  /getaddrinfo (?:EAI_AGAIN|ENOTFOUND) ([\w.-]+)/,
  // wget, of BusyBox and GNU.
  /(?:bad address|unable to resolve host address) ['‘"]([\w.-]+)/,
  // Go.
  /\blookup ([\w.-]+)(?: on \S+)?: (?:no such host|server misbehaving|Temporary failure in name resolution|.*i\/o timeout)/,
  // pip and uv.
  /Failed to resolve '([\w.-]+)'|failed to lookup address information/,
  // Maven and Gradle.
  /UnknownHostException: ([\w.-]+)/,
  // apk.
  /(?:fetching|opening) https?:\/\/([\w.-]+)\S*: (?:DNS\b.*|temporary error \(try again later\))/,
  // .NET, RubyGems, and whatever else asks the C library.
  /(?:Name or service not known|Temporary failure in name resolution|nodename nor servname provided)(?: \(([\w.-]+))?/,
];

/** Undefined where the step printed nothing of a name. `output` are its last lines. */
export function explainResolution(
  output: readonly string[],
  step: string | undefined,
  scene: FailureScene,
): Hint | undefined {
  const found = output.flatMap((line) => {
    const match = UNRESOLVED.map((pattern) => pattern.exec(line)).find(Boolean);
    return match ? [{host: match[1]}] : [];
  });
  if (found.length === 0) return undefined;
  const host = found.find((one) => one.host)?.host;
  const what = host === undefined ? 'a host name' : `the host ${host}`;
  if (hasNoNetwork(step, scene)) {
    return {
      message: `The step could not resolve ${what}, because it runs with --network none.`,
      remedy: ['Let it have a network, or add what it needs to the build context.'],
    };
  }
  const place =
    scene.stepNetwork === 'node'
      ? "RUN steps have the network of the builder's node, and the DNS servers of the builder's pod."
      : "RUN steps have the network and the DNS servers of the builder's pod.";
  return {message: `The step could not resolve ${what}. ${place}`, remedy: adviseResolution(host, scene)};
}

function hasNoNetwork(step: string | undefined, {asked}: FailureScene): boolean {
  const byFlag = asked.passedFlags.some(([name, mode]) => name === '--network' && mode === 'none');
  return byFlag || /^(?:\[[^\]]*\] )?RUN (?:--\S+ )*--network=none\b/.test(step ?? '');
}

function adviseResolution(host: string | undefined, {asked, namespace}: FailureScene): readonly Advice[] {
  const pod = `deployment/${asked.builder.name}`;
  const inPod = ['kubectl', 'exec', pod, '--namespace', namespace, '--'];
  return [
    host === undefined
      ? advise`See which DNS servers it has: ${command(...inPod, 'cat', '/etc/resolv.conf')}`
      : advise`See whether the builder's pod resolves it: ${command(...inPod, 'nslookup', host)}`,
    advise`If only your machine knows the name, for example through a VPN, pass its address: ${flag('add-host', `${host ?? 'HOST'}:IP`)}`,
    advise`If the cluster needs a proxy, pass it to the steps: ${flag('build-arg', 'HTTPS_PROXY=http://HOST:PORT')}`,
  ];
}
