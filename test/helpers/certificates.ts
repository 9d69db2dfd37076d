/** Owns short-lived certificates for the tests: one authority, and what it signs for a server and its clients. */
import {isIP} from 'node:net';

export interface KeyPair {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

export interface CertificateAuthority {
  /** PEM. */
  readonly certificate: string;
  /** `names` are DNS names and IP addresses, all of them and nothing else the certificate is good for. */
  signServer(names: readonly string[]): Promise<KeyPair>;
  /** As Kubernetes reads it: the common name is the user, each organization a group. */
  signClient(user: string, groups?: readonly string[]): Promise<KeyPair>;
}

const algorithm = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'};
const hour = 60 * 60 * 1000;

export async function makeCertificateAuthority(): Promise<CertificateAuthority> {
  const x509 = await loadX509();
  const {subtle} = globalThis.crypto;
  const generateKeys = () => subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const validity = () => ({
    notBefore: new Date(Date.now() - hour),
    notAfter: new Date(Date.now() + 24 * hour),
  });
  const randomSerial = () =>
    Buffer.from(globalThis.crypto.getRandomValues(new Uint8Array(15))).toString('hex');

  const authorityKeys = await generateKeys();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: `01${randomSerial()}`,
    name: [{CN: ['test authority']}],
    ...validity(),
    signingAlgorithm: algorithm,
    keys: authorityKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });

  async function sign(
    subject: Record<string, string[]>[],
    usage: string,
    names: readonly string[],
  ): Promise<KeyPair> {
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: `01${randomSerial()}`,
      issuer: authority.subjectName,
      subject,
      ...validity(),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: authorityKeys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([usage]),
        ...(names.length === 0
          ? []
          : [
              new x509.SubjectAlternativeNameExtension(
                names.map((value) => ({type: isIP(value) ? ('ip' as const) : ('dns' as const), value})),
              ),
            ]),
      ],
    });
    const der = Buffer.from(await subtle.exportKey('pkcs8', keys.privateKey));
    const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
    return {
      certificate: `${certificate.toString('pem')}\n`,
      key: `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`,
    };
  }

  return {
    certificate: `${authority.toString('pem')}\n`,
    signServer: (names) => sign([{CN: ['test server']}], x509.ExtendedKeyUsage.serverAuth, names),
    signClient: (user, groups = []) =>
      sign([...groups.map((group) => ({O: [group]})), {CN: [user]}], x509.ExtendedKeyUsage.clientAuth, []),
  };
}

/**
 * @peculiar/x509 2.2 brings tsyringe, which does not load without the metadata calls of the reflect-metadata package.
 * Nothing that we use has injected parameters, so that "no metadata" is the right answer to all of them.
 */
async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  const reflect = Reflect as Partial<
    Record<'getMetadata' | 'getOwnMetadata' | 'defineMetadata', () => undefined>
  >;
  reflect.getMetadata ??= () => undefined;
  reflect.getOwnMetadata ??= () => undefined;
  reflect.defineMetadata ??= () => undefined;
  return await import('@peculiar/x509');
}
