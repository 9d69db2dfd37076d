/** Owns what users add to a builder's buildkitd.toml, and how the builder keeps it: in annotations of its Deployment. */
import {asObject, asText, asTextFields, asTexts} from '../../cluster/api/json-values.ts';

/** One `[registry."HOST"]`. */
export interface RegistrySettings {
  readonly http?: true;
  readonly insecure?: true;
  /** The name of a file in `certificates`. */
  readonly ca?: string;
  readonly mirrors?: readonly string[];
}

export interface BuilderConfig {
  /** By host, as the flags set them. */
  readonly registries: Readonly<Record<string, RegistrySettings>>;
  /** PEM, by the file's name. */
  readonly certificates: Readonly<Record<string, string>>;
  /** The text of a buildkitd.toml of the user's. */
  readonly file?: string;
}

const REGISTRIES_ANNOTATION = 'kubectl-tiltbuild/registries';
const FILE_ANNOTATION = 'kubectl-tiltbuild/config';
const CERTIFICATE_PREFIX = 'kubectl-tiltbuild/';
/** An annotation's name can have no other characters, and at most 63. */
const CERTIFICATE_FILE = /^ca\.[A-Za-z0-9._-]{1,56}\.pem$/;

/** The file for the certificates of a registry; undefined for a host that is too long. */
export function certificateFile(host: string): string | undefined {
  const file = `ca.${host.replaceAll(/[^A-Za-z0-9.-]/g, '_')}.pem`;
  return CERTIFICATE_FILE.test(file) ? file : undefined;
}

export function certificateAnnotation(file: string): string {
  return `${CERTIFICATE_PREFIX}${file}`;
}

/** For the Deployment. */
export function writeConfig(config: BuilderConfig | undefined): Readonly<Record<string, string>> {
  const {registries = {}, file} = config ?? {};
  return {
    ...(Object.keys(registries).length > 0 && {[REGISTRIES_ANNOTATION]: JSON.stringify(registries)}),
    ...(file !== undefined && {[FILE_ANNOTATION]: file}),
  };
}

/** For its pods, which mount them as files. */
export function writeCertificates(config: BuilderConfig | undefined): Readonly<Record<string, string>> {
  const files = Object.entries(config?.certificates ?? {});
  return Object.fromEntries(files.map(([file, pem]) => [certificateAnnotation(file), pem]));
}

/** The annotations of the Deployment, and of its pods. */
export function readConfig(
  own: Readonly<Record<string, string>>,
  pods: Readonly<Record<string, string>>,
): BuilderConfig {
  const certificates = Object.entries(pods).flatMap(([annotation, pem]) => {
    const file = annotation.slice(CERTIFICATE_PREFIX.length);
    return annotation.startsWith(CERTIFICATE_PREFIX) && CERTIFICATE_FILE.test(file) ? [[file, pem]] : [];
  });
  const {[FILE_ANNOTATION]: file} = own;
  return {
    registries: readRegistries(own[REGISTRIES_ANNOTATION] ?? '{}'),
    certificates: asTextFields(Object.fromEntries(certificates)),
    ...(file !== undefined && {file}),
  };
}

/** What somebody changed by hand to something else counts as nothing. */
function readRegistries(json: string): BuilderConfig['registries'] {
  const hosts = Object.entries(asObject(parseJson(json)));
  return Object.fromEntries(
    hosts.map(([host, value]): [string, RegistrySettings] => {
      const {http, insecure, ca, mirrors} = asObject(value);
      return [
        host,
        {
          ...(http === true && {http}),
          ...(insecure === true && {insecure}),
          ...(asText(ca) !== '' && {ca: asText(ca)}),
          ...(Array.isArray(mirrors) && {mirrors: asTexts(mirrors)}),
        },
      ];
    }),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
