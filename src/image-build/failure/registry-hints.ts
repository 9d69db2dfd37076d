/** Owns explaining that a registry refused the builder, or does not have the image. */
import {createCommand} from '../../builder/model/builder.ts';
import {DEFAULT_PULL_SECRET} from '../../cluster/pull-secret.ts';
import {TiltbuildError} from '../../errors.ts';
import {parseReference} from '../../image/reference.ts';
import {advise, type Command, command, flag} from '../../text/advice.ts';
import {SOLVE} from './builder-faults.ts';
import type {FailureScene, Hint} from './failure-scene.ts';
import {recreate, SECRET_NOTE} from './network-hints.ts';

/** A reference has no spaces; the text after it is the registry's or the client's. */
const PULL = new RegExp(
  `^(?:${SOLVE})?(?:failed to solve with frontend dockerfile\\.v0: )?(?:failed to create LLB definition: )?(?:\\S+: )?failed to (?:resolve source metadata|load metadata) for (\\S+): (.*)$`,
);
const PUSH = new RegExp(`^(?:${SOLVE})?failed to push (\\S+): (.*)$`);
const LAYER = new RegExp(
  `^(?:${SOLVE})?[^"]*unexpected status(?: code| from [A-Z]+ request to) https?://([^\\s/]+)/\\S*: (40[13] \\w+|429 Too Many Requests)\\b[^"]*$`,
);
/** recordings/push-401-opaque-secret.yaml */
const MALFORMED = new RegExp(
  `^(?:${SOLVE})?(?:failed to (?:push|resolve source metadata for) \\S+: )?malformed kubernetes registry secret - `,
);

const DENIED = /\b(401 Unauthorized|403 Forbidden)\b/;
const NO_ACCESS =
  /\b(?:pull|push) access denied\b|\binsufficient_scope\b|\bauthorization failed\b|\bno basic auth credentials\b/;
const TOO_MANY = /\b429 Too Many Requests\b|\btoomanyrequests\b/;
/** Only a mirror is asked with the name of the registry whose images it has (containerd's dockerBase.request). */
const MIRROR = new RegExp(
  `^(?:${SOLVE})?[^"]*(?:unexpected status(?: code| from [A-Z]+ request to)|content at) https?://([^\\s/?]+)/[^\\s"]*[?&]ns=([^\\s&:"]+)[^\\s"]*?(?:: (\\d{3} [A-Za-z ]+)| not found)`,
);
const NOT_FOUND = /(?:^|: )(?:not found|manifest unknown)\b|\b404 Not Found\b/;

/** `error` is the whole error of the delegate. */
export function explainRegistry(error: string, scene: FailureScene): Hint | undefined {
  const lookedFor = /^(?:unable to find|failed to lookup) secret "([^"]*)"/.exec(error)?.[1];
  const words = error.replace(SECRET_NOTE, '');
  if (MALFORMED.test(words)) return explainMalformed(scene);
  const [, mirror, source = '', answer = '404 Not Found'] = MIRROR.exec(words) ?? [];
  if (mirror !== undefined) {
    const registry = decodeURIComponent(source);
    if (answer.startsWith('429')) return explainLimit(mirror, scene, registry);
    const [status] = DENIED.exec(answer) ?? [];
    return status === undefined
      ? explainMirror(mirror, registry, answer.trim(), scene)
      : explainDenied({what: `images of ${registry}`, verb: 'pull', host: mirror, status, lookedFor}, scene);
  }
  const [, pushed, pushWords] = PUSH.exec(words) ?? [];
  const [, pulled, pullWords] = PULL.exec(words) ?? [];
  const reference = pushed ?? pulled;
  const said = pushWords ?? pullWords;
  if (reference === undefined || said === undefined) {
    const [, host, status] = LAYER.exec(words) ?? [];
    if (host !== undefined && status?.startsWith('429')) return explainLimit(host, scene);
    return host === undefined || status === undefined
      ? undefined
      : explainDenied({what: 'an image', verb: 'pull', host, status, lookedFor}, scene);
  }
  const verb = pushed === undefined ? 'pull' : 'push';
  const host = hostOf(reference);
  if (TOO_MANY.test(said)) return explainLimit(host, scene);
  const [, status] = DENIED.exec(said) ?? [];
  if (status !== undefined || NO_ACCESS.test(said))
    return explainDenied({what: reference, verb, host, status, lookedFor}, scene);
  if (verb === 'pull' && NOT_FOUND.test(said)) {
    return {
      message: `The registry ${host} has no image ${reference}.`,
      remedy: [
        'Check the name and tag in FROM. The builder pulls from the registry: an image that only your machine or a node has cannot be a base image.',
      ],
    };
  }
  return undefined;
}

function explainMirror(mirror: string, source: string, answer: string, scene: FailureScene): Hint {
  const {asked, namespace} = scene;
  const place = {name: asked.builder.name, namespace};
  return {
    message: `The mirror ${mirror} of ${source} answered ${answer}.`,
    remedy: [
      advise`If it has the images of ${source} under a path, set that: ${recreate(scene, '--registry-mirror', `${source}=${mirror}/PATH`)}`,
      advise`To build without it: ${createCommand(place, '--replace', '--registry-reset')}`,
    ],
  };
}

/** `source` is the registry whose images `address` has. */
function explainLimit(address: string, scene: FailureScene, source?: string): Hint {
  const {pullSecret, namespace} = scene;
  const host = address === 'registry-1.docker.io' ? 'docker.io' : address;
  return {
    message: `${host} limits how much is pulled, and the limit of ${pullSecret === undefined ? "the cluster's address" : 'the account, or of the address if the pull secret has no login for it,'} is reached.`,
    remedy: [
      pullSecret === undefined
        ? advise`Log in, which raises the limit: ${createSecret(DEFAULT_PULL_SECRET, namespace, secretKey(host))}`
        : `The pull secret "${pullSecret}" needs exactly the key "${secretKey(host)}".`,
      advise`Or pull from ${source === undefined ? 'a' : 'another'} mirror: ${recreate(scene, '--registry-mirror', `${source ?? host}=MIRROR`)}`,
    ],
  };
}

interface Denial {
  readonly what: string;
  readonly verb: 'pull' | 'push';
  readonly host: string;
  readonly status: string | undefined;
  /** The secret that the delegate did not find. */
  readonly lookedFor: string | undefined;
}

/** Amazon's registry, by its region. */
const ECR = /\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;

/** We do not read a secret's data, so we do not know whether it has the host. */
function explainDenied({what, verb, host, status, lookedFor}: Denial, scene: FailureScene): Hint {
  const {pullSecret, namespace} = scene;
  const action = verb === 'pull' ? `pull ${what} from` : `push ${what} to`;
  const key = secretKey(host);
  const start = `The builder is not allowed to ${action} ${host}${status === undefined ? '' : ` (${status})`}`;
  const region = ECR.exec(host)?.[1];
  if (region !== undefined) {
    return {
      message: `${start} with ${pullSecret === undefined ? 'no pull secret' : `the pull secret "${pullSecret}" in namespace "${namespace}"`}.`,
      remedy: [
        advise`A login of ECR lasts 12 hours. Get a new password: ${command('aws', 'ecr', 'get-login-password', '--region', region)}`,
        advise`Delete the secret, if there is one, and run: ${createSecret(pullSecret ?? DEFAULT_PULL_SECRET, namespace, key, 'AWS')}`,
        `If that does not help, the account needs permission to ${verb} there.`,
      ],
    };
  }
  if (pullSecret === undefined) {
    return {
      message: `${start}, and no pull secret was used.`,
      remedy: [
        advise`Create one: ${createSecret(DEFAULT_PULL_SECRET, namespace, key)}`,
        advise`A secret of another name needs ${flag('registry-secret')}.`,
        ...(verb === 'pull' ? ['A registry also answers this for an image that does not exist.'] : []),
      ],
    };
  }
  if (lookedFor === pullSecret) {
    return {
      message: `${start}: the pull secret "${pullSecret}" does not exist in namespace "${namespace}", or cannot be read.`,
      remedy: [advise`Create it: ${createSecret(pullSecret, namespace, key)}`],
    };
  }
  const isForbidden = status?.startsWith('403');
  return {
    message: `${start} with the pull secret "${pullSecret}" in namespace "${namespace}".`,
    remedy: [
      isForbidden
        ? `The account in the secret needs permission to ${verb} there.`
        : 'Check the user name and password in the secret.',
      `The secret must have exactly the key "${key}"; kubectl build looks for no other form of it.`,
      advise`To recreate it, delete it and run: ${createSecret(pullSecret, namespace, key)}`,
    ],
  };
}

function explainMalformed({pullSecret, namespace, asked}: FailureScene): Hint {
  const name = pullSecret ?? asked.builder.name;
  return {
    message: `The secret "${name}" in namespace "${namespace}" is not a pull secret.`,
    remedy: [advise`Delete it and run: ${createSecret(name, namespace, 'HOST')}`],
  };
}

function createSecret(name: string, namespace: string, host: string, user = 'USER'): Command {
  const login = [`--docker-server=${host}`, `--docker-username=${user}`, '--docker-password=PASSWORD'];
  return command('kubectl', 'create', 'secret', 'docker-registry', name, '--namespace', namespace, ...login);
}

/** kubectl build looks for the registry's host as it is, and for Docker Hub's old name (its source, Credentials). */
function secretKey(host: string): string {
  return /^(?:docker\.io|index\.docker\.io|registry-1\.docker\.io)$/.test(host)
    ? 'https://index.docker.io/v1/'
    : host;
}

function hostOf(reference: string): string {
  try {
    return parseReference(reference).domain || reference;
  } catch (error) {
    if (error instanceof TiltbuildError) return reference.split('/')[0] ?? reference;
    throw error;
  }
}
