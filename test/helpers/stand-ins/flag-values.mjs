/** Owns the values of single flags as the delegate reads them: platforms, secrets, ssh, outputs, tags. */
import {existsSync, statSync} from 'node:fs';
import {Refusal, readCsv} from './pflag.mjs';

export function parsePlatforms(given, env) {
  const standard = env.DOCKER_DEFAULT_PLATFORM ? [env.DOCKER_DEFAULT_PLATFORM] : [];
  const platforms = (given.get('platform') ?? standard).flatMap((value) => value.split(','));
  for (const platform of platforms) {
    if (!/^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+){0,2}$/.test(platform)) {
      throw new Refusal(`"${platform}": cannot parse platform specifier: invalid argument`);
    }
  }
  return platforms;
}

export function parseSecret(value, env) {
  const fields = readCsvAs('failed to parse csv secret: ', value);
  const secret = {id: '', path: ''};
  for (const field of fields) {
    const equals = field.indexOf('=');
    if (equals === -1) throw new Refusal(`invalid field '${field}' must be a key=value pair`);
    const key = field.slice(0, equals).toLowerCase();
    const text = field.slice(equals + 1);
    if (key === 'type') {
      if (text !== 'file') throw new Refusal(`unsupported secret type "${text}"`);
    } else if (key === 'id') secret.id = text;
    else if (key === 'src' || key === 'source') secret.path = text;
    else throw new Refusal(`unexpected key '${key}' in '${field}'`);
  }
  if (secret.id === '') throw new Refusal('secret missing ID');
  if (secret.path === '') {
    if (secret.id in env) return {...secret, env: secret.id};
    secret.path = secret.id;
  }
  if (!existsSync(secret.path)) {
    throw new Refusal(`failed to stat ${secret.path}: stat ${secret.path}: no such file or directory`);
  }
  if (statSync(secret.path).size > 500 * 1024) {
    throw new Refusal(`secret ${secret.id} too big. max size 500KB`);
  }
  return secret;
}

function readCsvAs(prefix, value) {
  try {
    return readCsv(value);
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(prefix + error.message) : error;
  }
}

export function checkSsh(value, env) {
  if (!value.includes('=') && !env.SSH_AUTH_SOCK) {
    throw new Refusal('invalid empty ssh agent socket, make sure SSH_AUTH_SOCK is set');
  }
}

export function parseOutput(value, stdoutIsTerminal) {
  const fields = readCsv(value);
  if (fields.length === 1 && fields[0] === value && !value.startsWith('type=') && value !== '-') {
    return {type: 'local', attributes: {}, destination: value};
  }
  const output = {type: '', attributes: {}};
  if (value === '-') {
    output.type = 'tar';
    output.attributes.dest = '-';
  } else {
    for (const field of fields) {
      const equals = field.indexOf('=');
      if (equals === -1) throw new Refusal(`invalid value ${field}`);
      const key = field.slice(0, equals).toLowerCase().trim();
      if (key === 'type') output.type = field.slice(equals + 1);
      else output.attributes[key] = field.slice(equals + 1);
    }
  }
  if (output.type === '') throw new Refusal('type is required for output');
  const {dest, ...attributes} = output.attributes;
  switch (output.type) {
    case 'local':
      if (dest === undefined) throw new Refusal('dest is required for local output');
      return {type: 'local', attributes, destination: dest};
    case 'tar':
    case 'oci':
    case 'docker': {
      const destination = dest ?? (output.type === 'tar' ? '-' : '');
      if (destination === '-' && stdoutIsTerminal) {
        throw new Refusal(
          `output file is required for ${output.type} exporter. refusing to write to console`,
        );
      }
      if (existsSync(destination) && statSync(destination).isDirectory()) {
        throw new Refusal(`destination file ${destination} is a directory`);
      }
      return {type: output.type, attributes, destination};
    }
    case 'registry':
      return {type: 'image', attributes: {...output.attributes, push: 'true'}};
    default:
      return output;
  }
}

/** distribution/reference's `Parse`, which unlike `ParseNormalizedNamed` takes a name as it is. */
export function checkTag(tag) {
  const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
  const label = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
  const host = `${label}(?:\\.${label})*(?::[0-9]+)?`;
  const name = `(?:${host}/)?${component}(?:/${component})*`;
  const reference = new RegExp(`^${name}(?::\\w[\\w.-]{0,127})?(?:@[a-z0-9]+:[0-9a-fA-F]{32,})?$`);
  if (reference.test(tag)) return;
  const why =
    tag === ''
      ? 'repository name must have at least one component'
      : reference.test(tag.toLowerCase())
        ? 'repository name must be lowercase'
        : 'invalid reference format';
  throw new Refusal(`invalid tag "${tag}": ${why}`);
}
