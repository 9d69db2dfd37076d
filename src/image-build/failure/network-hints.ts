/** Owns explaining that the builder could not reach an address: unknown hosts, proxies, refused connections. */
import {createCommand} from '../../builder/model/builder.ts';
import {type Advice, advise, type Command, command, flag} from '../../text/advice.ts';
import {SOLVE} from './builder-faults.ts';
import type {FailureScene, Hint} from './failure-scene.ts';

/** Go's url.Error after text without quotes, since a Dockerfile's own text would be in quotes. */
const REQUEST = new RegExp(
  `^(?:${SOLVE})?[^"]*(?:Get|Head|Post|Put|Patch) "([a-z]+://[^"\\s/]+)[^"\\s]*": (.*)$`,
);
const PROXY = /^proxyconnect tcp: dial tcp(?: (\S+):\d+: |: lookup (\S+?)[: ])/;
const LOOKUP =
  /^dial tcp: lookup (\S+?)(?: on (\S+?))?: (?:no such host|server misbehaving|.*\bi\/o timeout|Temporary failure in name resolution)$/;
const REFUSED =
  /^dial tcp (\S+): (?:connect: )?(connection refused|no route to host|network is unreachable|i\/o timeout)$/;
const DNS_PODS = command(
  'kubectl',
  'get',
  'pods',
  '--namespace',
  'kube-system',
  '--selector',
  'k8s-app=kube-dns',
);
const ANY_PROXY = ['--env', 'HTTPS_PROXY=http://HOST:PORT'];
const LOOPBACK = /^(?:127\.[\d.]+|\[?::1\]?|localhost)$/;

/** `error` is the whole error of the delegate. */
export function explainNetwork(error: string, scene: FailureScene): Hint | undefined {
  const [, url = '', cause = ''] = REQUEST.exec(error.replace(SECRET_NOTE, '')) ?? [];
  if (url === '') return undefined;
  const host = url.replace(/^.*\/\//, '').replace(/^.*@/, '');
  const proxy = PROXY.exec(cause);
  if (proxy !== null) return explainProxy(proxy[1] ?? proxy[2] ?? '', scene);
  const [, name, server] = LOOKUP.exec(cause) ?? [];
  if (name !== undefined) {
    const asked = server === undefined ? "the node's name server" : `the name server ${server}`;
    return {
      message: `The builder cannot resolve the host ${name}: ${asked} does not know it, or does not answer.`,
      remedy: [advise`Check the name, and the cluster's DNS: ${DNS_PODS}`, proxyRemedy(scene)],
    };
  }
  const [, address = '', why] = REFUSED.exec(cause) ?? [];
  if (why === undefined) return undefined;
  if (LOOPBACK.test(address.replace(/:\d+$/, ''))) {
    return {
      message: `For the builder, ${host} is its own pod, and nothing listens there.`,
      remedy: [
        'Use an address that the cluster reaches: of a Service, or of the machine that runs the registry.',
        advise`To build without a registry, omit ${flag('push')}. The image then stays on the node.`,
      ],
    };
  }
  return {
    message: `The builder cannot reach ${host} (${address}: ${why}).`,
    remedy: ['Check from inside the cluster: pods may not reach what your machine does.', proxyRemedy(scene)],
  };
}

/** What the delegate puts before an error if it did not find its secret. */
export const SECRET_NOTE = /^(?:unable to find|failed to lookup) secret "[^"]*".*?: (?=failed to solve: )/;

/** BuildKit takes its proxies from the builder's Deployment. */
function explainProxy(proxy: string, scene: FailureScene): Hint {
  const isOwn = LOOPBACK.test(proxy);
  return {
    message: isOwn
      ? `The builder's proxy ${proxy} is its own pod, not your machine: kubectl build copied the setting from your environment when it created the builder.`
      : `The cluster cannot reach the builder's proxy ${proxy}.`,
    remedy: [
      advise`Recreate the builder without a proxy: ${recreate(scene)}`,
      advise`Or with one that the cluster reaches: ${recreate(scene, ...ANY_PROXY)}`,
    ],
  };
}

function proxyRemedy(scene: FailureScene): Advice {
  return advise`If the cluster needs a proxy, recreate the builder with it: ${recreate(scene, ...ANY_PROXY)}`;
}

function recreate({asked, namespace}: FailureScene, ...flags: readonly string[]): Command {
  return createCommand({name: asked.builder.name, namespace}, '--replace', ...flags);
}
