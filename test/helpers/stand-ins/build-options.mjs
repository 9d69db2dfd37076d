/** Owns the checks of the delegate before it builds, in its order and with its messages (its pkg/cmd and pkg/build). */
import {existsSync, readFileSync, rmSync, statSync} from 'node:fs';
import {basename, dirname, join, resolve} from 'node:path';
import {parse} from 'yaml';
import {Refusal, readCsv} from './pflag.mjs';

const noContext =
  'no context is currently set, use "kubectl config use-context <context>" to select a new one';
const unknownContext =
  'cannot determine Kubernetes namespace, specify manually: invalid configuration: context was not found for specified context';

function demand(holds, message) {
  if (!holds) throw new Refusal(message);
}

/** The options of the build, checked. Throws `Refusal`. */
export function checkOptions({given, positional}, env) {
  const kubeconfigs = kubeconfigPaths(given, env);
  const merged = readKubeconfigs(kubeconfigs, given.has('kubeconfig'));
  // It wants a current context even where --context names another.
  demand(merged.current !== '', noContext);
  demand(!given.get('namespace') || merged.contexts.has(merged.current), noContext);
  const platforms = (given.get('platform') ?? [env.DOCKER_DEFAULT_PLATFORM ?? []].flat()).flatMap((value) =>
    value.split(','),
  );
  for (const platform of platforms)
    demand(/^[\w.-]+(\/[\w.-]+){0,2}$/.test(platform), `"${platform}": cannot parse platform specifier`);
  const secrets = (given.get('secret') ?? []).map(readSecret);
  for (const value of given.get('ssh') ?? [])
    demand(value.includes('=') || env.SSH_AUTH_SOCK, 'invalid empty ssh agent socket');
  const [output = {type: 'image'}, ...others] = (given.get('output') ?? []).map(readOutput);
  const pushing = given.get('push') ?? (output.type === 'registry' || output.push === 'true');
  if (output.type === 'registry') output.type = 'image';
  demand(!given.get('push') || output.type === 'image', `push and "${output.type}" can't be used together`);
  const context = given.get('context') || merged.current;
  demand(merged.contexts.has(context), `${unknownContext}: ${context}`);
  const iidfile = given.get('iidfile') ?? '';
  if (iidfile !== '') {
    demand(platforms.length === 0, 'image ID file cannot be specified when building for multiple platforms');
    rmSync(iidfile, {force: true});
  }
  demand(others.length === 0, 'multiple outputs currently unsupported');
  const tags = given.get('tag') ?? [];
  for (const tag of tags) checkTag(tag);
  demand(!pushing || tags.length > 0 || output.name, 'tag is needed when pushing to registry');
  demand(
    !/^(local|tar)$/.test(output.type) || iidfile === '',
    'local and tar exporters are incompatible with image ID file',
  );
  demand(/^(image|local|tar|oci)$/.test(output.type), `${output.type} exporter is currently not supported`);
  const inputs = checkInputs(positional[0], given.get('file') ?? '');
  const network = given.get('network') ?? '';
  demand(/^(default|host|none)?$/.test(network), `network mode "${network}" not supported by buildkit`);
  for (const host of given.get('add-host') ?? []) demand(/^[^:]+:.+$/.test(host), `invalid host ${host}`);
  const plugin = merged.plugins.get(given.get('user') || merged.contexts.get(context));
  return {kubeconfigs, plugin, platforms, secrets, output, tags, pushing, iidfile, inputs, network};
}

/** Fields of the form key=value. */
function readFields(text) {
  return readCsv(text).map((field) => {
    const [key, value] = field.split(/=(.*)/s);
    demand(value !== undefined, `invalid field '${field}' must be a key=value pair`);
    return {field, key: key.toLowerCase(), value};
  });
}

function readSecret(text) {
  const fields = readFields(text);
  for (const {key, field, value} of fields)
    demand(
      /^(id|src|source)$/.test(key) || (key === 'type' && value === 'file'),
      `unexpected key '${key}' in '${field}'`,
    );
  const lastOf = (keys) => fields.findLast(({key}) => keys.test(key))?.value;
  const id = lastOf(/^id$/);
  demand(id, 'secret missing ID');
  const path = lastOf(/^(src|source)$/) || id;
  demand(existsSync(path), `failed to stat ${path}: stat ${path}: no such file or directory`);
  return {id, path};
}

function readOutput(text) {
  if (text === '-') return {type: 'tar', dest: '-'};
  if (!text.includes('=')) return {type: 'local', dest: text};
  const output = Object.fromEntries(readFields(text).map(({key, value}) => [key, value]));
  demand(output.type, 'type is required for output');
  demand(output.type !== 'local' || output.dest, 'dest is required for local output');
  return /^(tar|oci)$/.test(output.type) ? {dest: '-', ...output} : output;
}

/** distribution/reference's `Parse`, which unlike `ParseNormalizedNamed` takes a name as it is. */
function checkTag(tag) {
  const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
  const label = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
  const name = `(?:${label}(?:\\.${label})*(?::[0-9]+)?/)?${component}(?:/${component})*`;
  const reference = new RegExp(`^${name}(?::\\w[\\w.-]{0,127})?(?:@[a-z0-9]+:[0-9a-fA-F]{32,})?$`);
  const why = reference.test(tag.toLowerCase())
    ? 'repository name must be lowercase'
    : 'invalid reference format';
  demand(reference.test(tag), `invalid tag "${tag}": ${why}`);
}

function kubeconfigPaths(given, env) {
  const explicit = given.get('kubeconfig');
  if (explicit) return [explicit];
  const listed = (env.KUBECONFIG ?? '').split(':').filter((path) => path !== '');
  return listed.length > 0 ? listed : [join(env.HOME ?? '', '.kube', 'config')];
}

function readKubeconfigs(paths, explicit) {
  const contexts = new Map();
  const plugins = new Map();
  let current = '';
  for (const path of paths) {
    if (!existsSync(path)) {
      if (explicit) throw new Refusal(`stat ${path}: no such file or directory`);
      continue;
    }
    let config;
    try {
      config = parse(readFileSync(path, 'utf8')) ?? {};
    } catch (error) {
      throw new Refusal(`error loading config file "${path}": ${error.message}`);
    }
    for (const {name, context: {user} = {}} of config.contexts ?? []) contexts.set(name, user);
    for (const {name, user: {exec, token, tokenFile, username} = {}} of config.users ?? []) {
      // client-go runs the plugin only if there are no other credentials.
      if (exec !== undefined && !token && !tokenFile && !username)
        plugins.set(name, {...exec, command: seenFrom(path, exec.command)});
    }
    current ||= config['current-context'] ?? '';
  }
  return {contexts, plugins, current};
}

/** A bare name is found on PATH. */
function seenFrom(kubeconfig, command) {
  return command.includes('/') ? resolve(dirname(kubeconfig), command) : command;
}

/** Where the Dockerfile and the context come from. A missing Dockerfile is an error of the builder. */
function checkInputs(context, file) {
  demand(context !== '', 'please specify build context (e.g. "." for the current directory)');
  if (context === '-') {
    demand(file !== '-', "invalid argument: can't use stdin for both build context and dockerfile");
    return {stdin: 'context', dockerfile: 'Dockerfile', file};
  }
  if (existsSync(context) && statSync(context).isDirectory()) {
    if (file === '-') return {stdin: 'dockerfile', dockerfile: 'Dockerfile', context};
    const path = file === '' ? join(context, 'Dockerfile') : file;
    demand(existsSync(dirname(path)), `could not find ${dirname(path)}`);
    return {dockerfile: basename(path), path, context};
  }
  if (/^(https?:\/\/|git:\/\/|github\.com\/|git@)/.test(context)) {
    demand(file !== '-', 'Dockerfile from stdin is not supported with remote contexts');
    return {dockerfile: file || 'Dockerfile', context};
  }
  throw new Refusal(`unable to prepare context: path "${context}" not found`);
}
