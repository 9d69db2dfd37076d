/** Covers what of containerd's hosts.toml files BuildKit gets, and what is said of the rest. */
import {expect} from 'chai';
import {translateHosts} from '../../../../src/builder/model/node-registries.ts';

const CERTS = '/etc/containerd/certs.d';
const FILES = [`${CERTS}/reg.example/ca.crt`, `${CERTS}/reg.example/me.pem`, '/etc/containerd/key.pem'];

const translate = (hosts: Readonly<Record<string, string | undefined>>) =>
  translateHosts(
    Object.entries(hosts).map(([name, toml]) => ({
      path: `${CERTS}/${name}`,
      ...(toml !== undefined && {toml}),
    })),
    FILES,
  );

type Case = readonly [
  what: string,
  directory: string,
  toml: string | undefined,
  tables: object,
  ...notes: string[],
];

const CASES: readonly Case[] = [
  [
    'mirrors in their order, with and without TLS',
    'docker.io',
    'server = "https://registry-1.docker.io"\n[host."http://z.example:5000"]\ncapabilities = ["pull", "resolve"]\n[host."https://a.example/v2/hub/"]\noverride_path = true\n',
    {
      'docker.io': {mirrors: ['z.example:5000', 'a.example/hub']},
      'z.example:5000': {http: true},
    },
  ],
  [
    "k3s' and RKE2's own files",
    'docker.io',
    'server = "https://registry-1.docker.io/v2"\ncapabilities = ["pull", "resolve", "push"]\n[host]\n[host."https://m.example/v2"]\n  capabilities = ["pull", "resolve"]\n  skip_verify = true\n',
    {'docker.io': {mirrors: ['m.example']}, 'm.example': {insecure: true}},
  ],
  [
    'a registry without TLS',
    'reg.example:5000',
    'server = "http://reg.example:5000"',
    {'reg.example:5000': {http: true}},
  ],
  [
    'a port without a colon',
    'reg.example_5000_',
    '[host."http://reg.example:5000"]',
    {'reg.example:5000': {http: true}},
  ],
  [
    'what is tried without TLS after all',
    'reg.example',
    '[host."http://kind-registry:5000"]\nskip_verify = true',
    {'reg.example': {mirrors: ['kind-registry:5000']}, 'kind-registry:5000': {http: true, insecure: true}},
  ],
  [
    'certificates, by paths in the builder',
    'reg.example',
    'ca = "ca.crt"\nclient = [["me.pem", "/etc/containerd/key.pem"]]\n',
    {
      'reg.example': {
        ca: [`${CERTS}/reg.example/ca.crt`],
        keypair: [{cert: `${CERTS}/reg.example/me.pem`, key: '/etc/containerd/key.pem'}],
      },
    },
  ],
  [
    'a certificate and its key in one file',
    'reg.example',
    'client = "me.pem"',
    {'reg.example': {keypair: [{cert: FILES[1], key: FILES[1]}]}},
  ],
  [
    'certificates without a hosts.toml',
    'reg.example',
    undefined,
    {'reg.example': {tlsconfigdir: [`${CERTS}/reg.example`]}},
  ],
  [
    'another server, after which BuildKit asks the registry',
    'quay.io',
    'server = "https://inside.example"',
    {'quay.io': {mirrors: ['inside.example']}},
    'quay.io: where https://inside.example/ fails, BuildKit asks quay.io itself.',
  ],
  [
    'a mirror that is not to be asked for tags',
    'quay.io',
    '[host."https://m.example"]\ncapabilities = ["Pull"]',
    {'quay.io': {mirrors: ['m.example']}},
    'quay.io: BuildKit asks m.example for tags as well.',
  ],
  [
    'nothing for what only takes pushes',
    'quay.io',
    '[host."https://m.example"]\ncapabilities = ["push"]',
    {},
  ],
  [
    'no registry on the node itself, such as Spegel',
    'quay.io',
    '[host."http://127.0.0.1:30020"]\ncapabilities = ["pull", "resolve"]\ndial_timeout = "200ms"\n[host."https://localhost:6443/v2"]\n',
    {},
    "quay.io: http://127.0.0.1:30020/ is not used, since it is the node's own, and a pod cannot reach it.",
    "quay.io: https://localhost:6443/v2 is not used, since it is the node's own, and a pod cannot reach it.",
  ],
  [
    'no mirror with headers or rules, and no login in a note',
    'quay.io',
    '[host."https://me:secret@m.example"]\n[host."https://me:secret@m.example".header]\nauthorization = "Basic c2VjcmV0"\n[host."https://n.example".rewrite]\n"^(.*)$" = "q/$1"\n',
    {},
    'quay.io: https://m.example/ is not used, since BuildKit has nothing for header.',
    'quay.io: https://n.example/ is not used, since BuildKit has nothing for rewrite.',
  ],
  [
    'another server, whose login and query are in no note',
    'quay.io',
    'server = "https://me:secret@inside.example/v2?key=secret"\n',
    {'quay.io': {mirrors: ['inside.example']}},
    'quay.io: where https://inside.example/v2 fails, BuildKit asks quay.io itself.',
  ],
  [
    'no address that is none, whose login is in no note',
    'quay.io',
    '[host."https://me:a secret@m.example:99999"]\n[host."me:secret@m example"]',
    {},
    'quay.io: "https://m.example:99999" is not used, since it is no URL.',
    'quay.io: "m example" is not used, since it is no URL.',
  ],
  [
    'no path that BuildKit cannot ask',
    'quay.io',
    '[host."https://m.example/quay"]\n[host."https://n.example/api"]\noverride_path = true\n',
    {},
    'quay.io: https://m.example/quay is not used, since its path is not under /v2.',
    'quay.io: https://n.example/api is not used, since its path is not under /v2.',
  ],
  [
    'no certificate that is elsewhere on the node',
    'reg.example',
    'ca = ["ca.crt", "/opt/ca.pem"]',
    {'reg.example': {ca: [`${CERTS}/reg.example/ca.crt`]}},
    'reg.example: /opt/ca.pem is not used, since the builder cannot read it on the node.',
  ],
  [
    'no file that is broken',
    'quay.io',
    '[host',
    {},
    `quay.io: not used, since ${CERTS}/quay.io/hosts.toml is not TOML.`,
  ],
  [
    'no group of registries',
    '_.example',
    '',
    {},
    '_.example: not used, since BuildKit needs the name of one registry.',
  ],
  [
    'for Docker Hub what is for all others',
    '_default',
    '[host."https://m.example"]',
    {'docker.io': {mirrors: ['m.example']}},
    '_default: used for docker.io alone, since BuildKit has no settings for all other registries.',
  ],
];

describe('translateHosts', () => {
  for (const [what, directory, toml, tables, ...notes] of CASES) {
    it(`gives BuildKit ${what}`, () => expect(translate({[directory]: toml})).to.deep.equal({tables, notes}));
  }

  it('joins what several files have for one host, and prefers what Docker Hub has of its own', () => {
    const toml = '[host."http://m.example"]';
    expect(
      translate({_default: '[host."https://x.example"]', 'docker.io': toml, 'quay.io': toml}),
    ).to.deep.equal({
      tables: {
        'docker.io': {mirrors: ['m.example']},
        'm.example': {http: true},
        'quay.io': {mirrors: ['m.example']},
      },
      notes: ['_default: not used, since BuildKit has no settings for all other registries.'],
    });
  });
});
