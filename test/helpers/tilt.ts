/** Owns the stand-in of Tilt: the builtins that a Tiltfile may call, recorded, and as strict as Tilt 0.37 is. */
import {existsSync, readFileSync} from 'node:fs';
import {isAbsolute, join, posix, win32} from 'node:path';
import {parseReference} from '../../src/image/reference.ts';
import {
  builtin,
  execute,
  mapping,
  module,
  opaque,
  type StarlarkValue,
  takeArguments,
  toJs,
} from './starlark/starlark.ts';

export interface TiltOptions {
  /** The directory of the Tiltfile, where everything relative begins and commands are run. */
  readonly directory: string;
  /** Tilt's own environment; `os.environ[…] = …` changes it. */
  readonly env?: Record<string, string>;
  readonly platform?: 'posix' | 'nt';
  readonly context?: string;
  /** Of Tilt's web server; undefined for a Tilt that does not tell it. */
  readonly port?: string;
}

/** The arguments of a call by their names, as plain values. */
export type Arguments = Readonly<Record<string, unknown>>;

export interface TiltRun {
  readonly customBuilds: readonly Arguments[];
  readonly dockerBuilds: readonly Arguments[];
  readonly warnings: readonly string[];
  /** What makes Tilt load the Tiltfile again when it changes. */
  readonly filesRead: readonly string[];
  /** What else was called, by name. */
  readonly others: readonly (readonly [string, Arguments])[];
  /** The environment that commands inherit. */
  readonly env: Readonly<Record<string, string>>;
}

export const EXTENSION = join(import.meta.dirname, '..', '..', 'tilt', 'kubectl_build', 'Tiltfile');

type Taken = Record<string, StarlarkValue>;

/** Runs a Tiltfile. `load()` takes paths, relative to the Tiltfile. Throws a StarlarkError where Tilt would fail. */
export function runTiltfile(source: string, options: TiltOptions): TiltRun {
  const {directory, platform = 'posix', context = 'kind-demo', port = '10350'} = options;
  const env: Record<string, string> = {...options.env};
  const run = {
    customBuilds: [] as Arguments[],
    dockerBuilds: [] as Arguments[],
    warnings: [] as string[],
    filesRead: [] as string[],
    others: [] as [string, Arguments][],
    env,
  };
  // A Windows path of a Tiltfile that runs elsewhere.
  const native = (path: string) => (platform === 'nt' ? path.replaceAll('\\', '/') : path);
  const onDisk = (path: string) => (isAbsolute(path) ? path : join(directory, native(path)));
  const take = (
    name: string,
    types: Readonly<Record<string, string>>,
    use: (taken: Taken) => StarlarkValue | undefined,
  ) => [name, builtin(name, (call) => use(takeArguments(name, call, types)))] as const;
  /** Called for its effect in Tilt alone. */
  const record = (name: string, types: Readonly<Record<string, string>>) =>
    take(name, types, (taken) => {
      run.others.push([name, plain(taken)]);
      return opaque(name, name, plain(taken));
    });

  const predeclared: Record<string, StarlarkValue> = Object.fromEntries([
    take('docker_build', DOCKER_BUILD, (taken) => {
      run.dockerBuilds.push(checkDockerBuild(plain(taken)));
      return undefined;
    }),
    take('custom_build', CUSTOM_BUILD, (taken) => {
      run.customBuilds.push(checkCustomBuild(plain(taken)));
      return opaque('custom_build', 'custom_build');
    }),
    take('read_file', {file_path: 'string', default: 'string??'}, ({file_path, default: otherwise}) => {
      const path = onDisk(String(file_path));
      run.filesRead.push(path);
      if (existsSync(path)) return blob(readFileSync(path, 'utf8'));
      if (otherwise !== undefined) return blob(String(otherwise));
      throw new Error(`open ${path}: no such file or directory`);
    }),
    take(
      'local',
      {command: 'any', quiet: 'bool?', command_bat: 'any?', echo_off: 'bool?', env: 'dict?', dir: 'string?'},
      ({command, command_bat}) => {
        const [shown, whole] =
          platform === 'nt' ? [command_bat, 'echo %TILT_PORT%'] : [command, 'echo $TILT_PORT'];
        if (shown !== whole) throw new Error(`stand-in: no such local command: ${shown}`);
        // cmd leaves a variable that is not set as it is; a shell makes nothing of it.
        return blob(`${port === '' && platform === 'nt' ? '%TILT_PORT%' : port}\n`);
      },
    ),
    take('warn', {msg: 'string'}, ({msg}) => {
      run.warnings.push(String(msg));
      return undefined;
    }),
    take('k8s_context', {}, () => context),
    take('blob', {contents: 'string'}, ({contents}) => blob(String(contents))),
    record('sync', {local_path: 'string', remote_path: 'string'}),
    record('run', {cmd: 'any', trigger: 'any?'}),
    record('k8s_yaml', {yaml: 'any', allow_duplicates: 'bool?'}),
    record('k8s_resource', {
      workload: 'string?',
      port_forwards: 'any?',
      resource_deps: 'list?',
      labels: 'any?',
    }),
    record('allow_k8s_contexts', {contexts: 'any'}),
  ]);
  predeclared.os = osModule(directory, env, platform, onDisk);

  const load = (path: string) =>
    execute(readFileSync(onDisk(path), 'utf8'), {filename: onDisk(path), predeclared});
  execute(source, {filename: join(directory, 'Tiltfile'), predeclared, load});
  return run;
}

function blob(text: string): StarlarkValue {
  return opaque('blob', text);
}

function plain(taken: Taken): Arguments {
  return Object.fromEntries(Object.entries(taken).map(([name, value]) => [name, toJs(value)]));
}

function osModule(
  directory: string,
  env: Record<string, string>,
  platform: 'posix' | 'nt',
  onDisk: (path: string) => string,
): StarlarkValue {
  const paths = platform === 'nt' ? win32 : posix;
  const path = module('os.path', {
    join: builtin('join', ({positional}) => paths.join(...positional.map(String))),
    exists: builtin('exists', ({positional: [at]}) => existsSync(onDisk(String(at)))),
    dirname: builtin('dirname', ({positional: [at]}) => paths.dirname(String(at))),
    basename: builtin('basename', ({positional: [at]}) => paths.basename(String(at))),
  });
  const environ = mapping('environ', {
    get: (key) => env[key],
    set: (key, value) => {
      env[key] = value;
    },
    delete: (key) => {
      delete env[key];
    },
    keys: () => Object.keys(env),
  });
  return module('os', {
    name: platform,
    environ,
    path,
    getcwd: builtin('getcwd', () => directory),
    getenv: builtin('getenv', ({positional: [key, otherwise]}) => env[String(key)] ?? otherwise ?? null),
  });
}

/** Tilt's UnpackArgs lists (internal/tiltfile/docker.go), with the types that they are unpacked into. */
const COMMON = {
  live_update: 'any?',
  match_in_env_vars: 'bool?',
  ignore: 'any?',
  entrypoint: 'any?',
  container_args: 'iterable?',
};
const DOCKER_BUILD = {
  ref: 'string',
  context: 'string',
  build_args: 'dict?',
  dockerfile: 'string?',
  dockerfile_contents: 'any?',
  cache: 'any?',
  ...COMMON,
  only: 'any?',
  target: 'string?',
  ssh: 'any?',
  secret: 'any?',
  network: 'string?',
  extra_tag: 'any?',
  cache_from: 'any?',
  pull: 'bool?',
  platform: 'string?',
  extra_hosts: 'any?',
};
const CUSTOM_BUILD = {
  ref: 'string',
  command: 'any',
  deps: 'any',
  tag: 'string?',
  disable_push: 'bool?',
  skips_local_docker: 'bool?',
  ...COMMON,
  command_bat_val: 'any?',
  outputs_image_ref_to: 'string?',
  command_bat: 'any?',
  image_deps: 'list?',
  env: 'dict?',
  dir: 'string?',
};

function checkDockerBuild(given: Arguments): Arguments {
  demandReference(given.ref);
  if (given.dockerfile !== undefined && given.dockerfile_contents !== undefined)
    throw new Error('Cannot specify both dockerfile and dockerfile_contents keyword arguments');
  if (given.dockerfile_contents === null)
    throw new Error('Argument (dockerfile_contents): must be string or blob.');
  demandPatterns(given.ignore, 'ignore');
  for (const path of demandPatterns(given.only, 'only')) {
    if (path.includes('*'))
      throw new Error(`'only' does not support '*' file globs. Must be a real path: ${path}`);
  }
  demandCommon(given);
  for (const name of ['ssh', 'secret', 'extra_tag', 'cache_from', 'extra_hosts']) {
    for (const text of [given[name] ?? []].flat()) {
      if (typeof text !== 'string') throw new Error(`docker_build: for parameter "${name}": not a string`);
    }
  }
  for (const tag of [given.extra_tag ?? []].flat()) demandReference(tag);
  return given;
}

function checkCustomBuild(given: Arguments): Arguments {
  demandReference(given.ref);
  const {command, deps, env = {}} = given;
  if (!isTexts(command) && typeof command !== 'string')
    throw new Error('Argument 2 (command): a command must be a string or list of strings');
  if (command.length === 0) throw new Error("Argument 2 (command) can't be empty");
  if (!isTexts(deps)) throw new Error('Argument 3 (deps): not a list of strings');
  if (deps.length === 0) throw new Error("Argument 3 (deps) can't be empty");
  if (given.tag && given.outputs_image_ref_to)
    throw new Error('Cannot specify both tag= and outputs_image_ref_to=');
  demandPatterns(given.ignore, 'ignore');
  demandCommon(given);
  if (!isTexts(Object.values(env as object))) throw new Error('custom_build: env: value is not a string');
  return given;
}

function demandCommon({entrypoint, container_args}: Arguments): void {
  if (entrypoint !== undefined && typeof entrypoint !== 'string' && !isTexts(entrypoint))
    throw new Error('a command must be a string or list of strings');
  if (container_args !== undefined && !isTexts(container_args))
    throw new Error("Argument 'container_args': not a sequence of strings");
}

function demandReference(ref: unknown): void {
  try {
    parseReference(String(ref));
  } catch (cause) {
    throw new Error(`Argument 1 (ref): can't parse "${ref}": invalid reference format`, {cause});
  }
}

function demandPatterns(value: unknown, parameter: string): readonly string[] {
  return [value ?? []].flat().map((text) => {
    if (typeof text !== 'string') throw new Error(`${parameter} must be a string or a sequence of strings`);
    if (text.includes('\n')) throw new Error(`${parameter} cannot contain newlines`);
    return text;
  });
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
