/** Covers base images that the Tiltfile builds: what the extension asks of the program, and what it makes of the answer. */
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';
import {EXTENSION, runTiltfile, type TiltOptions} from '../helpers/tilt.ts';

const FILES = {
  base: 'FROM scratch\n',
  web: 'FROM localhost/base\n',
  args: 'ARG NAME\nFROM localhost/$NAME\n',
  other: 'FROM alpine\n',
  listed: 'ARG TILT_IMAGE_0=localhost/base\nFROM $TILT_IMAGE_0\n',
};
const BASE = "kubectl_build('localhost/base', 'base')";

interface Row {
  readonly what: string;
  readonly before?: readonly string[];
  readonly call: string;
  /** What the program is asked, if it is. */
  readonly asked?: string;
  readonly found?: readonly string[];
  /** What the command has for it. */
  readonly flags?: string;
  readonly deps?: readonly string[];
  readonly warnings?: readonly string[];
}

const ROWS: readonly Row[] = [
  {
    what: 'an image of an earlier call',
    call: "'localhost/web', 'web'",
    asked: '--find-base-image localhost/base web',
    found: ['localhost/base'],
    flags: '--base-image localhost/base=TILT_IMAGE_0',
    deps: ['localhost/base'],
  },
  {
    what: 'several, whatever decides what they are called',
    before: [BASE, "kubectl_build('tools:1', 'base')"],
    call: "'localhost/web', 'args', build_args={'NAME': 'base', 'N': ''}, build_contexts={'src': 'web'}, dockerfile='args/Dockerfile'",
    asked:
      '--find-base-image localhost/base --find-base-image tools:1 --file args/Dockerfile --build-arg NAME --build-arg N --build-context src=web args',
    found: ['localhost/base', 'tools:1'],
    flags: '--base-image localhost/base=TILT_IMAGE_0 --base-image tools:1=TILT_IMAGE_1',
    deps: ['localhost/base', 'tools:1'],
  },
  {
    what: 'a Dockerfile in the Tiltfile',
    call: "'localhost/web', '.', dockerfile_contents='FROM localhost/base'",
    asked: '--find-base-image localhost/base --file-env KUBECTL_TILTBUILD_DOCKERFILE .',
    found: ['localhost/base'],
    flags: '--base-image localhost/base=TILT_IMAGE_0',
    deps: ['localhost/base'],
  },
  {
    what: 'a name that turns out to be another image',
    call: "'localhost/web', 'web'",
    asked: '--find-base-image localhost/base web',
  },
  {what: 'a Dockerfile that cannot name it', call: "'localhost/web', 'other'"},
  {what: 'no earlier call', before: [], call: "'localhost/web', 'args'"},
  {
    what: 'a later call',
    before: [],
    call: "'localhost/web', 'args')\nkubectl_build('localhost/base', 'base'",
  },
  {
    what: 'a listed image that is used by its number',
    call: "'localhost/web', 'listed', image_deps=['localhost/base']",
    flags: '--build-arg TILT_IMAGE_0',
    deps: ['localhost/base'],
  },
  {
    what: 'a listed image that is used by its name',
    before: [],
    call: "'localhost/web', 'web', image_deps=('localhost/base',)",
    asked: '--find-base-image localhost/base web',
    found: ['localhost/base'],
    flags: '--build-arg TILT_IMAGE_0 --base-image localhost/base=TILT_IMAGE_0',
    deps: ['localhost/base'],
  },
  {
    what: 'a listed image that is not used, before one that is found',
    before: [BASE, "kubectl_build('localhost/tools', 'base')"],
    call: "'localhost/web', 'args', image_deps=['localhost/tools']",
    asked: '--find-base-image localhost/tools --find-base-image localhost/base args',
    found: ['localhost/base'],
    flags: '--build-arg TILT_IMAGE_0 --base-image localhost/base=TILT_IMAGE_1',
    deps: ['localhost/tools', 'localhost/base'],
    warnings: ['kubectl_build: the Dockerfile of localhost/web does not use TILT_IMAGE_0 (localhost/tools)'],
  },
];

describe('the extension kubectl_build, with base images', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'tiltfile-'));
    for (const [name, text] of Object.entries(FILES)) {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, 'Dockerfile'), text);
    }
  });
  after(() => rmSync(directory, {recursive: true}));

  const load = (lines: readonly string[], options: Partial<TiltOptions>) =>
    runTiltfile(`load('${EXTENSION}', 'kubectl_build')\n${lines.join('\n')}\n`, {
      directory,
      env: {HOME: '/home/me', LOCALAPPDATA: 'C:\\Users\\me\\AppData\\Local'},
      ...options,
    });

  for (const platform of ['posix', 'nt'] as const) {
    for (const {what, before = [BASE], call, asked, found = [], flags, deps, warnings = []} of ROWS) {
      it(`knows what to do with ${what}, on ${platform}`, () => {
        const questions: [string, Readonly<Record<string, string>>][] = [];
        const runProgram: TiltOptions['runProgram'] = (args, env) => {
          questions.push([args.join(' '), env]);
          return found.map((name) => `${name}\n`).join('');
        };
        const run = load([...before, `kubectl_build(${call})`], {platform, runProgram});
        expect(questions.map(([question]) => question)).to.deep.equal(asked === undefined ? [] : [asked]);
        const build = run.customBuilds.find(({ref}) => ref === 'localhost/web');
        const words = build?.command as readonly string[];
        const shown = words.filter(
          (word, index) =>
            /^--base-image|TILT_IMAGE_/.test(word) || /TILT_IMAGE_/.test(words[index + 1] ?? ''),
        );
        expect(shown.join(' ')).to.equal(flags ?? '');
        expect(build?.image_deps).to.deep.equal(deps);
        expect(run.warnings).to.deep.equal(warnings);
        // It is asked with the values that the build gets, which Tilt does not show.
        for (const [question, env] of questions) {
          expect(env).to.deep.equal(build?.env);
          expect(question).not.to.match(/NAME=|NAME base/);
        }
      });
    }
  }

  it('forgets the images of the last time that Tilt loaded the Tiltfile', () => {
    const {env} = load([BASE], {});
    expect(env.KUBECTL_TILTBUILD_IMAGES).to.equal(' localhost/base');
    load(["kubectl_build('localhost/web', 'web')"], {env});
  });

  it('leaves the search to docker_build where kubectl_build is switched off', () => {
    const off = {env: {KUBECTL_BUILD_ENABLE: 'off'}};
    expect(load([BASE, "kubectl_build('localhost/web', 'web')"], off).dockerBuilds).to.have.length(2);
  });
});
