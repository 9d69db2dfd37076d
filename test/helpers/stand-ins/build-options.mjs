/** Owns the checks of the delegate before it builds, in its order and with its messages (its pkg/cmd and pkg/build). */
import {existsSync, readFileSync, rmSync, statSync} from 'node:fs';
import {basename, dirname, join, resolve} from 'node:path';
import {parse} from 'yaml';
import {checkSsh, checkTag, parseOutput, parsePlatforms, parseSecret} from './flag-values.mjs';
import {Refusal} from './pflag.mjs';

const noContext =
  'no context is currently set, use "kubectl config use-context <context>" to select a new one';

/** The options of the build, checked. Throws `Refusal`. */
export function checkOptions({given, positional}, env, {stdoutIsTerminal}) {
  const kubeconfigs = kubeconfigPaths(given, env);
  const merged = readKubeconfigs(kubeconfigs, given.has('kubeconfig'));
  if (given.get('namespace') && !merged.contexts.has(merged.current)) throw new Refusal(noContext);
  if (merged.current === '') throw new Refusal(noContext);

  if (given.get('squash')) throw new Refusal('squash currently not implemented');
  if (given.get('quiet')) throw new Refusal('quiet currently not implemented');
  const platforms = parsePlatforms(given, env);
  const secrets = (given.get('secret') ?? []).map((value) => parseSecret(value, env));
  for (const value of given.get('ssh') ?? []) checkSsh(value, env);
  const outputs = (given.get('output') ?? []).map((value) => parseOutput(value, stdoutIsTerminal));
  if (given.get('push')) {
    if (outputs.length === 0) outputs.push({type: 'image', attributes: {push: 'true'}});
    else if (outputs[0].type === 'image') outputs[0].attributes.push = 'true';
    else throw new Refusal(`push and "${outputs[0].type}" output can't be used together`);
  }
  if (outputs.length === 0) outputs.push({type: 'image', attributes: {}});

  const context = given.get('context') || merged.current;
  if (!merged.contexts.has(context)) {
    const unknown = `invalid configuration: context was not found for specified context: ${context}`;
    throw new Refusal(
      given.get('namespace')
        ? unknown
        : `cannot determine Kubernetes namespace, specify manually: ${unknown}`,
    );
  }

  const iidfile = given.get('iidfile') ?? '';
  if (iidfile !== '') {
    if (platforms.length > 0) {
      throw new Refusal('image ID file cannot be specified when building for multiple platforms');
    }
    rmSync(iidfile, {force: true});
  }
  if (outputs.length > 1) throw new Refusal('multiple outputs currently unsupported');
  const [output] = outputs;
  const tags = given.get('tag') ?? [];
  for (const tag of tags) checkTag(tag);
  const pushing = output.type === 'image' && /^(1|t|T|TRUE|true|True)$/.test(output.attributes.push ?? '');
  if (pushing && tags.length === 0 && !output.attributes.name) {
    throw new Refusal('tag is needed when pushing to registry');
  }
  if ((output.type === 'local' || output.type === 'tar') && iidfile !== '') {
    throw new Refusal('local and tar exporters are incompatible with image ID file');
  }
  if (output.type === 'docker' || output.type === 'containerd') {
    const feature = output.type === 'docker' ? 'Docker exporter' : 'Containerd exporter';
    throw new Refusal(
      `${feature} feature is currently not supported for kubernetes driver. ` +
        'Please switch to a different driver (eg. "kubectl buildkit create --use")',
    );
  }
  const inputs = checkInputs(positional[0], given.get('file') ?? '');
  const network = given.get('network') ?? '';
  if (!['', 'default', 'host', 'none'].includes(network)) {
    throw new Refusal(`network mode "${network}" not supported by buildkit`);
  }
  for (const host of given.get('add-host') ?? []) {
    if (!/^[^:]+:.+$/.test(host)) throw new Refusal(`invalid host ${host}`);
  }
  const plugin = merged.plugins.get(given.get('user') || merged.contexts.get(context));
  return {kubeconfigs, plugin, platforms, secrets, output, tags, pushing, iidfile, inputs, network};
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
  if (context === '') {
    throw new Refusal('please specify build context (e.g. "." for the current directory)');
  }
  if (context === '-') {
    if (file === '-') {
      throw new Refusal("invalid argument: can't use stdin for both build context and dockerfile");
    }
    return {stdin: 'context', dockerfile: 'Dockerfile', file};
  }
  if (existsSync(context) && statSync(context).isDirectory()) {
    if (file === '-') return {stdin: 'dockerfile', dockerfile: 'Dockerfile', context};
    const path = file === '' ? join(context, 'Dockerfile') : file;
    if (!existsSync(dirname(path))) {
      throw new Refusal(`could not find ${dirname(path)}: stat ${dirname(path)}: no such file or directory`);
    }
    return {dockerfile: basename(path), path, context};
  }
  if (/^(https?:\/\/|git:\/\/|github\.com\/|git@)/.test(context)) {
    if (file === '-') throw new Refusal('Dockerfile from stdin is not supported with remote contexts');
    return {dockerfile: file || 'Dockerfile', context};
  }
  throw new Refusal(`unable to prepare context: path "${context}" not found`);
}
