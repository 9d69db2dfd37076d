/** Owns a closed place for a test to run programs in: directories of its own, and an environment with no surprises. */
import {mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join, relative} from 'node:path';
import {type DelegateBehaviour, type Invocation, installDelegate, readInvocations} from './delegate.ts';
import {realKubectlDirectory} from './real-kubectl.ts';

export interface Sandbox {
  readonly root: string;
  readonly home: string;
  readonly tmp: string;
  /** Holds the delegate, and kubectl-buildkit beside it. */
  readonly bin: string;
  /** A build context with a Dockerfile: the working directory. */
  readonly work: string;
  /** Where `env` points KUBECONFIG; there is no file until `writeKubeconfig`. */
  readonly kubeconfig: string;
  /** All that a program is given; copy it to add to it. */
  readonly env: Readonly<Record<string, string>>;
  /** Installs the delegate anew, to behave otherwise. */
  setDelegate(behaviour: DelegateBehaviour): void;
  invocations(): Invocation[];
  writeKubeconfig(text: string): void;
  /** What is left in the temporary directory, as relative paths. */
  leftovers(): string[];
  remove(): void;
}

/** The name has a space and a letter outside ASCII, which every path in a test then has. */
export async function makeSandbox(): Promise<Sandbox> {
  const root = mkdtempSync(join(tmpdir(), 'tiltbuild tést-'));
  const [home, tmp, bin, work] = ['home', 'tmp', 'bin', 'work'].map((name) => {
    mkdirSync(join(root, name));
    return join(root, name);
  }) as [string, string, string, string];
  const kubeconfig = join(root, 'kubeconfig.yaml');
  const delegateLog = join(root, 'delegate-log');
  const setDelegate = (behaviour: DelegateBehaviour) => installDelegate(bin, behaviour, delegateLog);
  setDelegate('build');
  writeFileSync(join(work, 'Dockerfile'), 'FROM scratch\nCOPY index.html /www/index.html\n');
  writeFileSync(join(work, 'index.html'), '<p>hello</p>\n');
  return {
    root,
    home,
    tmp,
    bin,
    work,
    kubeconfig,
    env: {
      HOME: home,
      USERPROFILE: home,
      PATH: [realKubectlDirectory(), bin].join(delimiter),
      TMPDIR: tmp,
      TEMP: tmp,
      TMP: tmp,
      KUBECONFIG: kubeconfig,
    },
    setDelegate,
    invocations: () => readInvocations(delegateLog),
    writeKubeconfig: (text) => writeFileSync(kubeconfig, text, {mode: 0o600}),
    leftovers: () =>
      readdirSync(tmp, {recursive: true, withFileTypes: true})
        .map((entry) => relative(tmp, join(entry.parentPath, entry.name)))
        .sort(),
    remove: () => rmSync(root, {recursive: true, force: true}),
  };
}
