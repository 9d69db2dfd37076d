/** Owns reading what `builder create` adds to a buildkitd.toml: the flags, their files, and what the builder has so far. */
import {X509Certificate} from 'node:crypto';
import {parse} from 'smol-toml';
import {TiltbuildError} from '../../errors.ts';
import type {Files} from '../../ports.ts';
import {reasonOf} from '../../system-error.ts';
import {command} from '../../text/advice.ts';
import {type BuilderConfig, certificateFile, type RegistrySettings} from '../model/builder-config.ts';
import type {GivenRegistry} from '../model/registry-flags.ts';
import type {BuilderActionOf} from './command-request.ts';

type Asked = Pick<BuilderActionOf<'create'>, 'registries' | 'configFile' | 'resetRegistries'>;
type Disk = Pick<Files, 'readText'>;

/** `kept` is what the builder has. Throws `usage` for files that cannot be used. */
export async function composeConfig(
  {registries: given, configFile, resetRegistries}: Asked,
  kept: BuilderConfig | undefined,
  files: Disk,
): Promise<BuilderConfig> {
  const before: BuilderConfig = {
    registries: resetRegistries ? {} : (kept?.registries ?? {}),
    certificates: resetRegistries ? {} : (kept?.certificates ?? {}),
  };
  const added = await Promise.all(
    Object.entries(given).map(([host, registry]) => readRegistry(host, registry, files)),
  );
  const registries = added.map(({host, settings}): [string, RegistrySettings] => [
    host,
    {...before.registries[host], ...settings},
  ]);
  const file = configFile === undefined ? kept?.file : await readConfigFile(configFile, files);
  return {
    registries: {...before.registries, ...Object.fromEntries(registries)},
    certificates: Object.assign({}, before.certificates, ...added.map(({certificates}) => certificates)),
    ...(file !== undefined && {file}),
  };
}

async function readRegistry(host: string, {caFiles, ...settings}: GivenRegistry, files: Disk) {
  if (caFiles === undefined) return {host, settings, certificates: {}};
  const ca = certificateFile(host);
  if (ca === undefined) throw new TiltbuildError('usage', `--registry-ca: the host "${host}" is too long.`);
  const texts = await Promise.all(caFiles.map((path) => readCertificates(path, files)));
  return {host, settings: {...settings, ca}, certificates: {[ca]: texts.join('')}};
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The certificates alone: everybody who can read the builder can read them, and a file may also have a private key. */
async function readCertificates(path: string, files: Disk): Promise<string> {
  const text = await readFile('--registry-ca', path, files);
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length > 0 && found.every(isCertificate)) return `${found.join('\n')}\n`;
  throw new TiltbuildError('usage', `--registry-ca: "${path}" has no certificate in the form PEM.`, {
    remedy: [
      'To convert one from the form DER:',
      command('openssl', 'x509', '-inform', 'der', '-in', path, '-out', 'ca.pem'),
    ],
  });
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

/** Undefined for an empty path, which drops the one that the builder has. */
async function readConfigFile(path: string, files: Disk): Promise<string | undefined> {
  if (path === '') return undefined;
  const text = await readFile('--config', path, files);
  try {
    parse(text);
    return text;
  } catch (cause) {
    // The first paragraph is a sentence, the second one shows the line.
    const detail = reasonOf(cause).split('\n').filter(Boolean);
    throw new TiltbuildError('usage', `--config: "${path}" is not a buildkitd.toml.`, {detail, cause});
  }
}

async function readFile(flag: string, path: string, files: Disk): Promise<string> {
  const text = await files.readText(path).catch((cause: unknown) => {
    throw new TiltbuildError('usage', `${flag}: could not read "${path}": ${reasonOf(cause)}.`, {cause});
  });
  if (text === undefined) throw new TiltbuildError('usage', `${flag}: there is no file "${path}".`);
  return text.replace(/^\uFEFF/, '');
}
