/** Owns explaining that the builder could not reach an address: unknown hosts, proxies, refused connections. */
import {createCommand} from '../../builder/model/builder.ts';
import {type Advice, advise, type Command, command, flag} from '../../text/advice.ts';
import {SOLVE} from './builder-faults.ts';
import type {FailureScene, Hint} from './failure-scene.ts';

/** Go's url.Error after text without quotes, since a Dockerfile's own text would be in quotes. */
const REQUEST = new RegExp(
  `^(?:${SOLVE})?[^"]*(?:Get|Head|Post|Put|Patch) "([a-z]+://[^"\\s/]+)([^"\\s]*)": (.*)$`,
);
const PROXY = /^proxyconnect tcp: dial tcp(?: (\S+):\d+: |: lookup (\S+?)[: ])/;
const LOOKUP =
  /^dial tcp: lookup (\S+?)(?: on (\S+?))?: (?:no such host|server misbehaving|.*\b(?:i\/o timeout|connection refused|no route to host|network is unreachable|operation not permitted)|Temporary failure in name resolution)$/;
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
  const [, url = '', path = '', cause = ''] = REQUEST.exec(error.replace(SECRET_NOTE, '')) ?? [];
  if (url === '') return undefined;
  const host = url.replace(/^.*\/\//, '').replace(/^.*@/, '');
  const proxy = PROXY.exec(cause);
  if (proxy !== null) return explainProxy(proxy[1] ?? proxy[2] ?? '', scene);
  const [, name, server] = LOOKUP.exec(cause) ?? [];
  if (name !== undefined) {
    if (server !== undefined && LOOPBACK.test(server.replace(/:\d+$/, '')))
      return explainOwnDns(name, server, scene);
    const asked = server === undefined ? "the node's name server" : `the name server ${server}`;
    return {
      message: `The builder cannot resolve the host ${name}: ${asked} does not know it, or does not answer.`,
      remedy: [advise`Check the name, and the cluster's DNS: ${DNS_PODS}`, proxyRemedy(scene)],
    };
  }
  if (path.startsWith('/v2/')) {
    const tls = explainTls(host, cause, scene);
    if (tls !== undefined) return tls;
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

/** A pod whose /etc/resolv.conf names no server asks this one (Go's resolver). */
function explainOwnDns(name: string, server: string, {asked, namespace}: FailureScene): Hint {
  const pod = `deployment/${asked.builder.name}`;
  const show = command('kubectl', 'exec', pod, '--namespace', namespace, '--', 'cat', '/etc/resolv.conf');
  return {
    message: `The builder cannot resolve the host ${name}: the name server ${server} is its own pod, and none runs there.`,
    remedy: [
      advise`Check which name servers it has: ${show}`,
      'They come from the kubelet (clusterDNS), or from the /etc/resolv.conf of the node, when a pod starts.',
      advise`After a change there, recreate the builder: ${createCommand({name: asked.builder.name, namespace}, '--replace')}`,
    ],
  };
}

/** The registry's host, and what Go's client has against its TLS. */
function explainTls(address: string, cause: string, scene: FailureScene): Hint | undefined {
  // BuildKit has its settings under the name that images have.
  const host = address === 'registry-1.docker.io' ? 'docker.io' : address;
  if (/^http: server gave HTTP response to HTTPS client$/.test(cause)) {
    return {
      message: `The registry ${host} has no TLS, and the builder has no setting that says so.`,
      remedy: [advise`Recreate the builder with it: ${recreate(scene, '--registry-http', host)}`],
    };
  }
  const [, fault] = /^(?:tls: failed to verify certificate: )?x509: (.*)$/.exec(cause) ?? [];
  if (fault === undefined) return undefined;
  return {
    message: `The builder does not trust the registry ${host}: ${fault}.`,
    remedy: [
      fault.startsWith('certificate signed by unknown authority')
        ? advise`Recreate the builder with the certificate of that authority, as a file in the form PEM: ${recreate(scene, '--registry-ca', `${host}=ca.pem`)}`
        : 'The certificate of the registry has to be replaced.',
      advise`To build without a check of the certificate: ${recreate(scene, '--registry-insecure', host)}`,
    ],
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

export function recreate({asked, namespace}: FailureScene, ...flags: readonly string[]): Command {
  return createCommand({name: asked.builder.name, namespace}, '--replace', ...flags);
}
