/**
 * Covers that what comes from outside is shown and not obeyed, in everything that we render: whoever wrote it, it has
 * no control characters, starts no line of ours, and shows no password.
 */
import {expect} from 'chai';
import fc from 'fast-check';
import {formatBuilders} from '../../../../src/builder/commands/list.ts';
import {readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import {PlainProgress} from '../../../../src/buildkit/progress/plain.ts';
import {Steps} from '../../../../src/buildkit/progress/steps.ts';
import {formatCompletion} from '../../../../src/cli/argv/complete.ts';
import {
  formatErrorJson,
  renderDetail,
  renderError,
  renderForeign,
  renderNote,
  renderQuestion,
  type Style,
} from '../../../../src/cli/render/render.ts';
import {renderDoctor} from '../../../../src/cli/render/render-doctor.ts';
import {renderDone} from '../../../../src/cli/render/render-outcome.ts';
import {fail, makeReport} from '../../../../src/doctor/report.ts';
import {reportVersions} from '../../../../src/doctor/report-versions.ts';
import {TiltbuildError} from '../../../../src/errors.ts';
import {formatResult} from '../../../../src/image-build/build-result.ts';
import {formatCheck} from '../../../../src/image-build/dockerfile-check.ts';
import {formatDryRun} from '../../../../src/image-build/dry-run-report.ts';
import {type Advice, advise, command, flag} from '../../../../src/text/advice.ts';
import {maskText} from '../../../../src/text/mask-secrets.ts';
import {preparedBuild} from '../../image-build/build-world.ts';

const error = (text: string) =>
  new TiltbuildError('usage', `It is "${text}".`, {detail: [text, `name: ${text}`], remedy: adviceOf(text)});

function adviceOf(text: string): readonly Advice[] {
  const words = command('kubectl', 'get', text, '--namespace', text);
  return [text, words, advise`Use ${words} or ${flag('namespace', text)}, ${text}.`, advise`Do: ${words}`];
}

function dryRun(text: string) {
  const build = preparedBuild({});
  const target = {...build.target, context: text, cluster: {...build.target.cluster, server: text}};
  return {
    build: {...build, target, product: {...build.product, reason: text}, pullSecret: {reason: text}},
    contentReference: undefined,
    builder: undefined,
    commands: [{words: [text, '--build-arg', text, '--flag', text], env: {A: text}, input: text}],
    notes: [text, ...adviceOf(text)],
    cover: cover(text),
    problems: [error(text)],
  };
}

const cover = (text: string) => {
  const nodes = [{name: text, why: text}];
  return {ready: [text], waiting: nodes, leftOut: nodes};
};
const row = (text: string) => {
  const deployment = {...readBuilderDeployment({}), name: text, image: text};
  return {
    deployment,
    verdict: {kind: 'working', reason: text},
    pods: [],
    cover: cover(text),
    runWorks: true,
    version: text,
  } as const;
};
const result = (text: string) => ({
  ...{digest: undefined, reference: text, references: [text], product: 'kind' as const, context: text},
  ...{
    namespace: text,
    builder: text,
    node: text,
    nodes: [{name: text, state: 'copied' as const, bytes: 1}],
    engine: 'builtin' as const,
    engineReason: text,
    pullSecret: text,
    seconds: 1,
  },
});
const asked = {destination: {kind: 'image', stdout: false}, push: true} as const;

function progress(text: string): string {
  const bytes = Buffer.from(text);
  const at = {seconds: 1n, nanos: 0};
  const vertex = {
    digest: 'a',
    name: text,
    started: at,
    completed: undefined,
    cached: false,
    error: '',
    inputs: [],
  };
  const status = {
    vertex: 'a',
    id: text,
    name: text,
    current: 0n,
    total: 0n,
    timestamp: at,
    started: at,
    completed: at,
  };
  const warning = {vertex: 'a', level: 1n, short: bytes, detail: [], url: ''};
  const plain = new PlainProgress();
  const steps = new Steps();
  const none = {vertexes: [], statuses: [], logs: [], warnings: []};
  return [
    {...none, vertexes: [vertex], statuses: [status], warnings: [warning]} as never,
    {...none, vertexes: [{...vertex, completed: at, error: text}]} as never,
  ]
    .map((change) => plain.format(steps.apply(change)))
    .join('');
}

const STYLES: readonly Style[] = [
  {colour: false},
  {colour: true, width: 40},
  {colour: false, width: 80, shell: 'powershell'},
  {colour: false, shell: 'cmd'},
];
const doctorReport = (text: string) =>
  makeReport({server: fail(text, adviceOf(text)[1]), user: fail(text, adviceOf(text)[2])}, 'kubectl');
const surroundings = {env: {}, platform: 'linux'} as const;

type Renderer = (text: string, style: Style) => string;

/** What each puts onto a terminal or into a log. */
const TEXTS: Readonly<Record<string, Renderer>> = {
  renderError: (text, style) => renderError(error(text), style, {verbosity: 2}),
  'renderError of a bug': (text, style) => renderError(new Error(text), style),
  renderNote: (text, style) =>
    adviceOf(text)
      .map((advice) => renderNote(advice, style))
      .join(''),
  renderDetail: (text, style) => renderDetail(`target: ${text}`, style),
  renderForeign,
  renderQuestion: (text) => renderQuestion(`Remove "${text}"?`),
  renderDone: (text, style) => renderDone(result(text), asked, style),
  renderDoctor: (text, style) => renderDoctor(doctorReport(text), 'text', {...style, width: style.width}),
  formatDryRun: (text) => formatDryRun(dryRun(text), 'text', surroundings),
  'formatDryRun on Windows': (text) => formatDryRun(dryRun(text), 'text', {env: {}, platform: 'win32'}),
  formatBuilders: (text) => formatBuilders([row(text)], 'table', 0),
  formatCheck: (text) =>
    formatCheck({text: `It is ${text}`.replaceAll('\n', ' '), json: '', warnings: 1}, 'digest'),
  PlainProgress: progress,
};

const JSONS: Readonly<Record<string, Renderer>> = {
  formatErrorJson: (text, style) => formatErrorJson(error(text), style),
  renderDoctor: (text) => renderDoctor(doctorReport(text), 'json', {colour: false, width: 80}),
  formatDryRun: (text) => formatDryRun(dryRun(text), 'json', surroundings),
  formatBuilders: (text) => formatBuilders([row(text)], 'json', 0),
  formatResult: (text) => formatResult(result(text), 'json'),
  formatCheck: (text) => formatCheck({text, json: JSON.stringify({text}), warnings: 1}, 'json'),
};

const CONTROL = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const OURS = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
/** `note:` in a dry run is one of ours as well. */
const labelled = (shown: string) => shown.replaceAll(OURS, '').match(/^(?:error|hint|note|problem):/gm) ?? [];

const evil = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\u001b]0;x\u0007',
        '\u001b[2J',
        '\u001b[31m',
        '\u009b1A',
        '\r',
        '\t',
        '\0',
        '\u007f',
        '\b',
      ),
      fc.constantFrom(
        '\u202e',
        '\u2066',
        '\u200f',
        '\u061c',
        '\u2028',
        '\ufeff',
        '\u{e0041}',
        '\ud800',
        '\u00ad',
      ),
      fc.constantFrom('\n', '\r\n', '\nhint: ', '\nerror: ', '\nnote:', '\nproblem: ', 'hint: ', 'error:'),
      fc.string({maxLength: 8}),
      fc.string({maxLength: 4, unit: 'binary'}),
    ),
    {maxLength: 8},
  )
  .map((parts) => parts.join(''))
  .filter((text) => maskText(text) === text);

describe('what comes from outside', () => {
  for (const [name, render] of Object.entries(TEXTS)) {
    it(`is shown and not obeyed by ${name}`, () => {
      fc.assert(
        fc.property(evil, fc.constantFrom(...STYLES), (text, style) => {
          const shown = render(text, style);
          expect(shown.replaceAll(OURS, '').replaceAll('\n', '')).not.to.match(CONTROL);
          // Whatever the text is, it adds no label to ours.
          expect(labelled(shown)).to.deep.equal(labelled(render('x', style)));
          const letters = [...text].filter((character) => /[\p{L}\p{N}]/u.test(character));
          let at = 0;
          for (const letter of letters) at = shown.indexOf(letter, at) + 1 || Number.NaN;
          expect(at, 'nothing is lost').not.to.be.NaN;
        }),
        {numRuns: 60},
      );
    });
  }

  for (const [name, render] of Object.entries(JSONS)) {
    it(`is kept as it is in the JSON of ${name}, which is one line without control characters`, () => {
      fc.assert(
        fc.property(evil, (text) => {
          const shown = render(text, {colour: false});
          expect(shown.slice(0, -1)).not.to.match(CONTROL);
          const inside: unknown[] = [];
          JSON.parse(shown, (_key, value) => inside.push(value) && value);
          expect(inside.some((value) => typeof value === 'string' && value.includes(text))).to.equal(true);
        }),
        {numRuns: 60},
      );
    });
  }

  const urls = ['https://me:hunter2@host/x', 'HTTPS://hunter2@host', 'https://host/?a=1&sig=hunter2'];
  for (const [name, render] of [...Object.entries(TEXTS), ...Object.entries(JSONS)]) {
    it(`shows no password of a URL by ${name}`, () => {
      for (const url of urls)
        for (const style of STYLES) expect(render(url, style)).to.include('host').and.not.include('hunter2');
    });
  }

  it('is not offered by completion where nobody could type it', () => {
    const values = ['good', 'a\n:4', '\u001b[2J', '\u202eab'];
    expect(formatCompletion({candidates: ['x\tWhat it is'], directive: 4}, values)).to.equal(
      'x\tWhat it is\ngood\n:4\n',
    );
  });

  it('is shown in the versions of other programs', async () => {
    const answer = {exitCode: 0, stdout: '"gitVersion": "v1\u001b[2J"', stderr: ''};
    const ports = {
      programs: {
        find: async (name: string) => (name === 'kubectl' ? '/\u202ebin' : undefined),
        run: async () => answer,
      },
      delegate: {find: async () => undefined},
      sleep: () => new Promise(() => undefined),
    };
    const text = await reportVersions({version: '1', commit: 'c', runtime: 'r'}, ports as never);
    expect(text).to.include('v1\\x1b[2J (/\\u202ebin)');
  });
});
