/** Owns which pull secret a build uses, by a Secret's existence and type, never by its data. */
import {TiltbuildError} from '../errors.ts';
import {advise, command, flag} from '../text/advice.ts';
import type {Answer, SecretFacts} from './api/facts.ts';

/** What the user asked for. `default` is the name that the extension for Tilt has always used. */
export type PullSecretChoice =
  | {readonly kind: 'named'; readonly name: string; readonly by: string}
  | {readonly kind: 'default'; readonly name: string}
  | {readonly kind: 'none'; readonly by: string};

/** The pull secret of the build, and the reason in words. */
export interface PullSecret {
  readonly name?: string;
  readonly reason: string;
  /** For the user, before the build. */
  readonly note?: string;
}

/** The name where none is given. */
export const DEFAULT_PULL_SECRET = 'docker-registry';
const VARIABLE = 'KUBECTL_BUILD_REGISTRY_SECRET';
/** The only type whose data has the key that kubectl build reads (recordings, push-401-opaque-secret). */
export const PULL_SECRET_TYPE = 'kubernetes.io/dockerconfigjson';

/** `--registry-secret`, else the environment variable, else the default name. An empty value means none. */
export function choosePullSecret(given: string | undefined, variable: string | undefined): PullSecretChoice {
  for (const [value, by] of [
    [given, '--registry-secret'],
    [variable, VARIABLE],
  ] as const) {
    if (value === '') return {kind: 'none', by};
    if (value !== undefined) return {kind: 'named', name: value, by};
  }
  return {kind: 'default', name: DEFAULT_PULL_SECRET};
}

/** Decides by the API server's answer. Throws `pull-secret-missing` for a named one that is missing or of another type. */
export function resolvePullSecret(
  choice: PullSecretChoice,
  answer: Answer<SecretFacts> | undefined,
  namespace: string,
): PullSecret {
  if (choice.kind === 'none') return {reason: `none: ${choice.by} is empty`};
  const {name} = choice;
  if (answer === undefined) throw new Error(`no answer about the pull secret ${name}`);
  switch (answer.kind) {
    case 'found':
      if (answer.value.type === PULL_SECRET_TYPE) return {name, reason: reasonFor(choice)};
      if (choice.kind === 'default') {
        return {
          reason: `none: the secret "${name}" is of type ${answer.value.type}`,
          note: `the secret "${name}" in namespace "${namespace}" is of type ${answer.value.type}, not ${PULL_SECRET_TYPE}, so it is not used`,
        };
      }
      throw unusable(choice, `is of type ${answer.value.type}, not ${PULL_SECRET_TYPE}`, namespace);
    case 'missing':
      if (choice.kind === 'default') return {reason: `none: there is no secret "${name}"`};
      throw unusable(choice, 'does not exist', namespace);
    case 'forbidden':
      return {
        name,
        reason: reasonFor(choice),
        note: `could not read the pull secret "${name}", so it is used unchecked: ${answer.message}`,
      };
  }
}

function reasonFor(choice: Exclude<PullSecretChoice, {kind: 'none'}>): string {
  return choice.kind === 'named' ? `given by ${choice.by}` : 'the default';
}

function unusable(
  {name, by}: Extract<PullSecretChoice, {kind: 'named'}>,
  why: string,
  namespace: string,
): TiltbuildError {
  return new TiltbuildError(
    'pull-secret-missing',
    `The pull secret "${name}" (from ${by}) ${why} in namespace "${namespace}".`,
    {
      remedy: [
        advise`Choose another one with ${flag('registry-secret', 'NAME')}, none with ${flag('registry-secret', '')}, or create it:`,
        command(
          ...['kubectl', 'create', 'secret', 'docker-registry', name, '--namespace', namespace],
          ...['--docker-server=HOST', '--docker-username=USER', '--docker-password=PASSWORD'],
        ),
      ],
    },
  );
}
