/** Covers, against a real BuildKit, that a context arrives as it is: what docker sent before is found in its cache. */
import {chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';
import fc from 'fast-check';
import {buildDirectory} from './build-directory.ts';
import {type Dockerd, startDockerd, whyNoDockerd} from './dockerd.ts';

interface Sample {
  readonly files: readonly {
    readonly path: string;
    readonly kind: string;
    readonly text: string;
    readonly mode: number;
  }[];
  readonly ignore: readonly string[];
}

const name = fc.constantFrom('a', 'b', 'ab', 'a.b', 'a-b', '.a', 'ä', 'a b', 'a[b', 'x\\y', 'A', 'b!', '#c');
const path = fc.array(name, {minLength: 1, maxLength: 3}).map((names) => names.join('/'));
const glob = fc.constantFrom('a', 'b', '*', 'a*', '?', '**', '[ab]', '.*', 'a.b', '*b', '**b');
const rules = fc.array(
  fc
    .tuple(fc.boolean(), fc.array(glob, {minLength: 1, maxLength: 3}))
    .map(([isException, names]) => `${isException ? '!' : ''}${names.join('/')}`),
  {maxLength: 4},
);
/** Before 23.0 docker's client has another idea of exceptions, and takes `**b` for any name that ends in b. */
const rulesForOldClient = rules.map((given) => given.filter((text) => !/^!|\*\*b/.test(text)));
const files = fc.array(
  fc.record({
    path,
    kind: fc.constantFrom('file', 'file', 'file', 'link', 'hard', 'directory'),
    text: fc.string({maxLength: 40}),
    mode: fc.constantFrom(0o644, 0o755, 0o600, 0o4755),
  }),
  {minLength: 1, maxLength: 12},
);

/** What cannot be made, since something else has its place, is left out. */
function makeTree(root: string, {files, ignore}: Sample): void {
  let last: string | undefined;
  for (const {path: given, kind, text, mode} of files) {
    const place = join(root, given);
    try {
      mkdirSync(join(place, '..'), {recursive: true});
      if (kind === 'directory') mkdirSync(place);
      else if (kind === 'link') symlinkSync(text || 'nowhere', place);
      else if (kind === 'hard' && last !== undefined) linkSync(last, place);
      else {
        writeFileSync(place, text, {flag: 'wx'});
        chmodSync(place, mode);
        last = place;
      }
    } catch {}
  }
  writeFileSync(join(root, '.dockerignore'), ['Dockerfile', '.dockerignore', ...ignore].join('\n'));
  // A context with nothing in it is refused, whoever sends it.
  writeFileSync(join(root, 'sent'), '');
  writeFileSync(join(root, 'Dockerfile'), 'FROM scratch\nCOPY . /\nCOPY sent /sent\n');
}

const reason = whyNoDockerd();

(reason === undefined ? describe : describe.skip)('a context on its way to BuildKit', function () {
  this.timeout(300_000);
  let daemon: Dockerd;
  let root: string;
  before(async () => {
    daemon = await startDockerd();
  });
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'context-'));
  });
  afterEach(() => rmSync(root, {recursive: true, force: true}));
  after(() => daemon?.stop());

  it('is the same that docker sends, byte for byte and mode for mode, whatever is ignored', async () => {
    let count = 0;
    const version = Number.parseInt(daemon.docker(['version', '--format', '{{.Client.Version}}']), 10);
    const sample: fc.Arbitrary<Sample> = fc.record({files, ignore: version < 23 ? rulesForOldClient : rules});
    await fc.assert(
      fc.asyncProperty(sample, async (tree) => {
        count += 1;
        const directory = join(root, String(count));
        mkdirSync(directory);
        makeTree(directory, tree);
        const image = `tree-${count}:dev`;
        const byDocker = await attempt(async () =>
          daemon.docker(['build', '--progress=plain', '-t', image, directory]),
        );
        const byUs = await attempt(() =>
          buildDirectory(daemon, {directory, sharedKey: `tree-${count}`, name: image}),
        );
        if (byDocker instanceof Error || byUs instanceof Error) {
          expect([byDocker instanceof Error, byUs instanceof Error], String(byUs)).to.deep.equal([
            true,
            true,
          ]);
          return;
        }
        const copy = byUs.steps.all.find((step) => step.name.includes('COPY . /'));
        expect(copy?.state, JSON.stringify(tree)).to.equal('cached');
      }),
      {numRuns: 40, interruptAfterTimeLimit: 120_000},
    );
  });

  it('sends nothing once more that did not change', async () => {
    for (let index = 0; index < 50; index++) writeFileSync(join(root, `f${index}`), 'x'.repeat(10_000));
    writeFileSync(join(root, 'Dockerfile'), 'FROM scratch\nCOPY . /\n');
    const build = () => buildDirectory(daemon, {directory: root, sharedKey: root, name: 'again:dev'});
    expect((await build()).sent).to.be.greaterThan(500_000);
    writeFileSync(join(root, 'f7'), 'changed');
    const {sent, steps} = await build();
    expect(sent).to.be.lessThan(1_000);
    expect(steps.all.find((step) => step.name.includes('COPY'))?.state).to.equal('done');
  });

  it('never mixes two builds of one project at once', async () => {
    writeFileSync(join(root, 'Dockerfile'), 'FROM scratch\nARG N\nCOPY . /\n');
    const sizes = Array.from({length: 6}, (_, index) => index);
    for (const index of sizes) writeFileSync(join(root, `f${index}`), randomText(300_000));
    const digests = await Promise.all(
      sizes.map(async (index) => {
        const attributes = {'build-arg:N': String(index), 'no-cache': ''};
        return (
          await buildDirectory(daemon, {
            directory: root,
            sharedKey: root,
            name: `same-${index}:dev`,
            attributes,
          })
        ).digest;
      }),
    );
    const layers = sizes.map((index) =>
      daemon.docker(['inspect', '--format', '{{.RootFS.Layers}}', `same-${index}:dev`]),
    );
    expect(digests).to.have.length(6);
    expect(new Set(layers).size).to.equal(1);
  });
});

function randomText(length: number): string {
  return Array.from({length: length / 10}, () =>
    Math.random().toString(36).slice(2, 12).padEnd(10, '0'),
  ).join('');
}

async function attempt<T>(work: () => Promise<T>): Promise<T | Error> {
  try {
    return await work();
  } catch (error) {
    return error as Error;
  }
}
