/** Owns how a dry run is reported: as text for people, as JSON for programs. */
import {describeCover} from '../builder/verdict/cover-nodes.ts';
import type {TiltbuildError} from '../errors.ts';
import type {Surroundings} from '../surroundings.ts';
import {advise, formatAdvice, type Writing} from '../text/advice.ts';
import {maskSecrets} from '../text/mask-secrets.ts';
import {formatCommand, type Shell} from '../text/shell-words.ts';
import {formatJson, showText} from '../text/show-text.ts';
import {type DryRun, PRIVATE} from './dry-run.ts';

type Shown = Pick<Surroundings, 'env' | 'platform'>;

export function formatDryRun(run: DryRun, form: 'text' | 'json', surroundings: Shown): string {
  const writing: Writing = {shell: surroundings.platform === 'win32' ? 'powershell' : 'posix'};
  return form === 'json' ? formatJson(describe(run, writing)) : formatText(run, surroundings, writing);
}

function describe(run: DryRun, writing: Writing) {
  const {build, contentReference, builder, cover, node, commands, notes, problems} = run;
  const {target, product, tags, pullSecret, engine, request: asked} = build;
  const {action, verdict} = builder ?? {};
  return {
    dryRun: true,
    context: target.context,
    cluster: target.cluster.name,
    server: target.cluster.server,
    user: target.user.name,
    namespace: target.namespace,
    product: product.product,
    productReason: product.reason,
    tags: tags.map(({given, canonical}) => ({given, canonical})),
    reference: contentReference ?? null,
    engine: engine.name,
    engineReason: engine.reason,
    pullSecret: pullSecret.name ?? null,
    pullSecretReason: pullSecret.reason,
    builder: {
      name: asked.builder.name,
      state: verdict?.kind ?? 'unknown',
      reason: verdict?.reason ?? null,
      action: asked.builderOptions.policy === 'never' ? 'none' : (action?.kind ?? 'unknown'),
      description: describeBuilder(run, writing),
      ...(cover && {nodes: cover}),
      ...(node !== undefined && {node}),
    },
    commands: commands.map(({words, env, cwd, input}) => ({
      argv: maskSecrets(words),
      ...(cwd !== undefined && {cwd}),
      stdin: input ?? null,
      env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value ?? null])),
    })),
    notes: notes.map((note) => formatAdvice(note, writing)),
    problems: problems.map(({code, message, detail, remedy}) => ({
      code,
      message,
      detail,
      remedy: remedy.map((entry) => formatAdvice(entry, writing)),
    })),
  };
}

/** The builder's state, and what a build would do about it. */
function describeBuilder(
  {build: {request: asked, target, builder: making}, builder, node}: DryRun,
  writing: Writing,
): string {
  const {name} = asked.builder;
  const {image} = making.request.settings;
  if (asked.builderOptions.policy === 'never')
    return `${name}, left to kubectl build (--builder-policy never)`;
  if (builder === undefined)
    return `${name}, in an unknown state; a build may add an --output flag to the command`;
  const {action, verdict} = builder;
  switch (action.kind) {
    case 'use':
      return `${name} ${verdict.reason}; a build would use it${node === undefined ? '' : `, on node ${node}`}`;
    case 'scale':
      return `${name} ${verdict.reason}; a build would give it ${action.replicas} pods, one on each node`;
    case 'wait':
      return `${name} ${verdict.reason}; a build would wait for it`;
    case 'create':
      return `there is no ${name} in namespace "${target.namespace}"; a build would create it with ${image}`;
    case 'replace':
      return `${name} ${verdict.reason}; a build would recreate it with ${image}`;
    case 'configure':
      return `${name} ${verdict.reason}; a build would add the registry ${action.registry.inCluster} to its settings`;
    case 'warn':
      return formatAdvice(advise`${action.note} To repair it: ${action.command}`, writing);
    default:
      return action satisfies never;
  }
}

function formatText(run: DryRun, {env, platform}: Shown, writing: Writing): string {
  const {build, contentReference, cover, commands, notes, problems} = run;
  const {target, product, tags, pullSecret, engine} = build;
  const rows: readonly (readonly [string, string])[] = [
    [
      'target',
      `context "${target.context}", cluster "${target.cluster.name}", user "${target.user.name}", namespace "${target.namespace}", ${target.cluster.server}`,
    ],
    ['product', `${product.product} (${product.reason})`],
    ...tags.map(({given, canonical}): readonly [string, string] => [
      'tag',
      given === canonical ? canonical : `${canonical} (given as ${given})`,
    ]),
    ...(contentReference === undefined
      ? []
      : [['tag', `${contentReference}, made from the digest`] as const]),
    [
      'pull secret',
      pullSecret.name === undefined ? pullSecret.reason : `${pullSecret.name} (${pullSecret.reason})`,
    ],
    ['builder', describeBuilder(run, writing)],
    ...(cover === undefined ? [] : [['nodes', describeCover(cover)] as const]),
    ['engine', `${engine.name} (${engine.reason})`],
  ];
  const shown = commands.flatMap((command) => showCommand(command, env, platform));
  return [
    ...rows.map(([label, text]) => `${`${label}:`.padEnd(12)} ${showText(text, ' '.repeat(13))}`),
    '',
    ...(commands.length > 1
      ? ['Commands, in this order:']
      : commands.length === 1
        ? ['Command:']
        : ['A build starts no other program.']),
    ...shown.map((line) => `  ${showText(line, '  ')}`),
    ...(shown.some((line) => line.includes(PRIVATE))
      ? [
          '',
          `${PRIVATE} stands for a temporary directory, which a build creates, fills and removes; context.tar in it is an archive of the build context without what is ignored. To run a command by hand, replace it with a directory of your own.`,
        ]
      : []),
    ...notes.map((note) => `\nnote: ${showText(formatAdvice(note, writing), ' '.repeat(6))}`),
    ...problems.flatMap((problem) => showProblem(problem, writing)),
    '',
  ].join('\n');
}

function showCommand(
  {words, env: changes, cwd, input}: DryRun['commands'][number],
  env: Shown['env'],
  platform: Shown['platform'],
): readonly string[] {
  // Only a variable that is set has to be unset, and the directory for temporary files is the build's own.
  const needed = Object.fromEntries(
    Object.entries(changes).filter(([name, value]) => value === undefined && env[name] !== undefined),
  );
  const shells: readonly Shell[] = platform === 'win32' ? ['powershell', 'cmd'] : ['posix'];
  const place = cwd === undefined ? [] : [`In the directory ${cwd}:`];
  const from = input === undefined ? '' : ` < ${formatCommand([input])}`;
  if (shells.length === 1) return [...place, formatCommand(words, {env: needed}) + from];
  const lines = shells.flatMap((shell) => [
    shell === 'cmd' ? 'In cmd:' : 'In PowerShell:',
    formatCommand(words, {shell, env: needed}) + from,
  ]);
  return [...place, ...lines];
}

function showProblem({message, detail, remedy}: TiltbuildError, writing: Writing): readonly string[] {
  const lines = [...detail, ...remedy.map((entry) => formatAdvice(entry, writing))];
  return [
    '',
    ...[`problem: ${message}`, ...lines.map((line) => `  ${line}`)].map((line) => showText(line, '  ')),
  ];
}
