/** Owns the picture of the demo: what a terminal shows of a first build, the same build again, and the doctor. */
import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {runOnTerminal} from '../test/helpers/on-terminal.ts';
import {realKubectlDirectory} from '../test/helpers/real-kubectl.ts';
import {setStage} from './demo-stage.ts';
import {formatPicture} from './terminal-picture.ts';
import {readScreen, type Span} from './terminal-screen.ts';

const COLUMNS = 96;
const TITLE =
  'A terminal: kubectl tiltbuild creates a builder and builds an image, builds it again from the cache, and checks the cluster';

const BUILD = ['-t', 'localhost/web:dev', '.'];
const SCENES = [
  {args: BUILD, cached: false},
  {args: BUILD, cached: true, comment: 'nothing has changed'},
  {args: ['doctor'], cached: true},
] as const;

/** What BuildKit shows of a small image. */
const INTERNAL = ['load .dockerignore', 'load build context'];
const STEPS = [
  '[1/3] FROM docker.io/library/busybox:1.37',
  '[2/3] COPY site /www',
  '[3/3] RUN chown -R www-data /www',
];

/** `tiltbuild` is the program. Needs a terminal, that is, Linux. */
export async function drawDemo(tiltbuild: string): Promise<string> {
  const stage = await setStage();
  // The shorter its name, the less of what the doctor says is wrapped.
  const bin = mkdtempSync(join(tmpdir(), 'demo-'));
  try {
    stage.use('kind-demo');
    symlinkSync(join(realKubectlDirectory(), 'kubectl'), join(bin, 'kubectl'));
    symlinkSync(tiltbuild, join(bin, 'kubectl-tiltbuild'));
    writeFileSync(join(bin, 'tilt'), '#!/bin/sh\necho v0.37.0, built 2026-08-31\n', {mode: 0o755});
    mkdirSync(join(bin, 'more'));
    const env = {...stage.sandbox.env, PATH: [bin, join(bin, 'more')].join(delimiter)};
    const lines: (readonly Span[])[] = [];
    for (const {args, cached, ...scene} of SCENES) {
      stage.buildkit.steps = [
        ...INTERNAL.map((name) => ({name: `[internal] ${name}`})),
        ...STEPS.map((name) => ({name, cached})),
        {name: 'exporting to image'},
      ];
      const {exitCode, stdout} = await runOnTerminal(['kubectl', 'tiltbuild', ...args], {
        columns: COLUMNS,
        env,
        cwd: stage.sandbox.work,
      });
      if (exitCode !== 0) throw new Error(`kubectl tiltbuild ${args.join(' ')} failed:\n${stdout}`);
      if (lines.length > 0) lines.push([]);
      lines.push(showCommand(args, 'comment' in scene ? scene.comment : undefined));
      lines.push(
        ...readScreen(
          stdout.replaceAll(bin, '/usr/local/bin').replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:6443'),
        ),
      );
    }
    return formatPicture({title: TITLE, columns: COLUMNS, lines});
  } finally {
    rmSync(bin, {recursive: true, force: true});
    await stage.close();
  }
}

/** What differs from run to run are times, and where they stand. */
export function withoutTimes(picture: string): string {
  return picture.replaceAll(/ x="[\d.]+"|\bin (under )?[\d.]+ m?s\b|\b\d+\.\ds\b/g, '');
}

function showCommand(args: readonly string[], comment: string | undefined): readonly Span[] {
  return [
    {text: '$ ', style: '2'},
    {text: ['kubectl tiltbuild', ...args].join(' '), style: '1'},
    ...(comment === undefined ? [] : [{text: `   # ${comment}`, style: '2' as const}]),
  ];
}
