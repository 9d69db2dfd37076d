/** Owns what we say where the builder could not reach an address: names that are not found, proxies, closed doors. */
import {createCommand} from '../../builder/model/builder.ts';
import {type Advice, advise} from '../../text/advice.ts';
import {SOLVE} from './builder-faults.ts';
import type {FailureScene, Hint} from './failure-scene.ts';

/** Go's url.Error behind words without quotes, which is where a Dockerfile's own words would stand. */
const REQUEST = new RegExp(
  `^(?:${SOLVE})?[^"]*(?:Get|Head|Post|Put|Patch) "([a-z]+://[^"\\s/]+)[^"\\s]*": (.*)$`,
);
const PROXY = /^proxyconnect tcp: dial tcp(?: (\S+):\d+: |: lookup (\S+?)[: ])/;
const LOOKUP =
  /^dial tcp: lookup (\S+?)(?: on (\S+?))?: (?:no such host|server misbehaving|.*\bi\/o timeout|Temporary failure in name resolution)$/;
const REFUSED =
  /^dial tcp (\S+): (?:connect: )?(connection refused|no route to host|network is unreachable|i\/o timeout)$/;
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
      message: `The builder cannot find the host ${name}: ${asked} does not know it, or does not answer.`,
      remedy: [
        `Check the name. If it is right, the cluster's DNS has to know it: kubectl get pods --namespace kube-system --selector k8s-app=kube-dns`,
        ...proxyRemedy(scene),
      ],
    };
  }
  const [, address = '', why] = REFUSED.exec(cause) ?? [];
  if (why === undefined) return undefined;
  if (LOOPBACK.test(address.replace(/:\d+$/, ''))) {
    return {
      message: `${host} is the builder's own pod, as seen from the builder, and nothing listens there.`,
      remedy: [
        'Name the registry as the cluster reaches it: by its Service, or by an address of the machine that it runs on.',
        'Without a registry: leave --push out, and the image stays in the node.',
      ],
    };
  }
  return {
    message: `The builder cannot reach ${host} (${address}: ${why}).`,
    remedy: ['Check from the cluster: what your machine reaches, a pod may not.', ...proxyRemedy(scene)],
  };
}

/** What the delegate puts before an error where it did not find its secret. */
export const SECRET_NOTE = /^(?:unable to find|failed to lookup) secret "[^"]*".*?: (?=failed to solve: )/;

/** BuildKit takes its proxies from the builder's Deployment. */
function explainProxy(proxy: string, scene: FailureScene): Hint {
  const isOwn = LOOPBACK.test(proxy);
  return {
    message: isOwn
      ? `The builder's proxy is ${proxy}, which is the builder's own pod and not your machine: kubectl build took it over from your environment when it made the builder.`
      : `The builder's proxy ${proxy} cannot be reached from the cluster.`,
    remedy: [
      advise`Make the builder anew without a proxy: ${createCommand(placeOf(scene), '--replace')}`,
      advise`Or with one that the cluster reaches: ${withProxy(scene)}`,
    ],
  };
}

function proxyRemedy(scene: FailureScene): readonly Advice[] {
  return [advise`If the cluster gets out by a proxy only: ${withProxy(scene)}`];
}

function withProxy(scene: FailureScene) {
  return createCommand(placeOf(scene), '--replace', '--env', 'HTTPS_PROXY=http://HOST:PORT');
}

function placeOf({asked, namespace}: FailureScene) {
  return {name: asked.builder.name, namespace};
}
