/** Owns the flags that every command has: kubectl's for reaching a cluster, with kubectl's meanings, and --help. */
import {group, list, text, toggle} from './definition.ts';

const asGiven = {passed: 'as-given'} as const;
const rewritten = {passed: 'rewritten'} as const;

export const connectionFlags = group('kubectl', {
  namespace: text('NAME', 'Namespace of the builder and the pull secret', {
    char: 'n',
    offer: {live: 'namespaces'},
    tilt: {kind: 'text', name: 'namespace'},
    ...rewritten,
  }),
  kubeconfig: text('FILE', 'Kubeconfig file to use', {offer: 'files', ...rewritten}),
  context: text('NAME', 'Kubeconfig context to use', {
    offer: {live: 'contexts'},
    // Tilt gives every command a kubeconfig with its own context alone.
    tilt: {kind: 'tilt-up'},
    ...rewritten,
  }),
  cluster: text('NAME', 'Kubeconfig cluster to use', {offer: {live: 'clusters'}, ...asGiven}),
  user: text('NAME', 'Kubeconfig user to use', {offer: {live: 'users'}, ...asGiven}),
  server: text('URL', 'Address of the API server', {char: 's', ...asGiven}),
  token: text('TOKEN', 'Bearer token; passed on in a private file, never as an argument', rewritten),
  as: text('USER', 'User to impersonate', asGiven),
  'as-group': list('GROUP', 'Group to impersonate', asGiven),
  'as-uid': text('UID', 'UID to impersonate', asGiven),
  'certificate-authority': text('FILE', 'Certificate authority of the API server', {
    offer: 'files',
    ...asGiven,
  }),
  'client-certificate': text('FILE', 'Client certificate', {offer: 'files', ...asGiven}),
  'client-key': text('FILE', 'Key of the client certificate', {offer: 'files', ...asGiven}),
  'insecure-skip-tls-verify': toggle("Do not verify the API server's certificate", asGiven),
  'tls-server-name': text('NAME', "Server name to expect in the API server's certificate", asGiven),
  'request-timeout': text('TIME', 'Time limit for a single request, e.g. 10s', asGiven),
  'cache-dir': text('DIR', "kubectl's cache directory", {offer: 'directories', ...asGiven}),
});

export const help = toggle('Show this help', {char: 'h'});
export const allowK3d = toggle(
  'Try to build into the nodes of k3d, which is not supported; it needs k3d 5.6.1 or newer',
  {
    tilt: {kind: 'switch', name: 'allow_k3d'},
  },
);
export const yes = toggle('Do not ask for confirmation', {char: 'y'});
