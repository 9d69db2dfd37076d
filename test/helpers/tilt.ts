/** Owns the stand-in of Tilt: the builtins that a Tiltfile may call, recorded, and as strict as Tilt 0.37 is. */
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {isAbsolute, join, posix, win32} from 'node:path';
import {parseReference} from '../../src/image/reference.ts';
import {type Arguments, type Builtin, execute} from './starlark/starlark.ts';
import {StarlarkError} from './starlark/to-python.ts';

export interface TiltOptions {
  /** The directory of the Tiltfile, where everything relative begins and commands are run. */
  readonly directory: string;
  /** Tilt's own environment; `os.environ[…] = …` changes it. */
  readonly env?: Readonly<Record<string, string>>;
  readonly platform?: 'posix' | 'nt';
  readonly context?: string;
  /** Of Tilt's web server; empty for a Tilt that does not tell it. */
  readonly port?: string;
  /** Runs our program as the Tiltfile is loaded, and gives its output. */
  readonly runProgram?: (args: readonly string[], env: Readonly<Record<string, string>>) => string;
}

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

/** Runs a Tiltfile, which may load another by its path. Throws a StarlarkError where Tilt would fail. */
export function runTiltfile(source: string, options: TiltOptions): TiltRun {
  const {
    directory,
    platform = 'posix',
    context = 'kind-demo',
    port = '10350',
    runProgram = refuseProgram,
  } = options;
  const customBuilds: Arguments[] = [];
  const dockerBuilds: Arguments[] = [];
  const warnings: string[] = [];
  const filesRead: string[] = [];
  const others: [string, Arguments][] = [];
  const paths = platform === 'nt' ? win32 : posix;
  // A Windows path of a Tiltfile that runs elsewhere.
  const native = (path: string) => (platform === 'nt' ? path.replaceAll('\\', '/') : path);
  const onDisk = (path: unknown) =>
    isAbsolute(String(path)) ? String(path) : join(directory, native(String(path)));
  /** Called for its effect in Tilt alone. */
  const record = (name: string, parameters: string, kind = name): [string, Builtin] => {
    const run = (given: Arguments) => {
      others.push([name, given]);
      return {kind, content: given};
    };
    return [name, [parameters, run]];
  };

  const builtins: Readonly<Record<string, Builtin>> = {
    docker_build: [DOCKER_BUILD, (given) => void dockerBuilds.push(checkDockerBuild(given))],
    custom_build: [CUSTOM_BUILD, (given) => void customBuilds.push(checkCustomBuild(given))],
    read_file: [
      'file_path:string default:string??',
      ({file_path, default: otherwise}) => {
        const path = onDisk(file_path);
        filesRead.push(path);
        demand(existsSync(path) || otherwise !== undefined, `open ${path}: no such file or directory`);
        return blob(existsSync(path) ? readFileSync(path, 'utf8') : otherwise);
      },
    ],
    local: [
      'command:any quiet:bool? command_bat:any? echo_off:bool? env:dict? dir:string? stdin:string?',
      ({command, command_bat, env = {}, quiet, echo_off}) => {
        if (isTexts(command) && command[0] === 'kubectl-tiltbuild') {
          demand(Boolean(quiet && echo_off), 'stand-in: the command would be in the log');
          return blob(runProgram(command.slice(1), env as Record<string, string>));
        }
        const isKnown =
          platform === 'nt' ? command_bat === 'echo %TILT_PORT%' : command === 'echo $TILT_PORT';
        demand(isKnown, `stand-in: no such local command: ${command}`);
        // cmd leaves a variable that is not set as it is; a shell makes nothing of it.
        return blob(`${port === '' && platform === 'nt' ? '%TILT_PORT%' : port}\n`);
      },
    ],
    warn: ['msg:string', ({msg}) => void warnings.push(String(msg))],
    k8s_context: ['', () => context],
    blob: ['contents:string', ({contents}) => blob(contents)],
    // Tilt indents, and ends with a line break.
    encode_json: ['obj:any', ({obj}) => blob(`${JSON.stringify(obj, null, 2)}\n`)],
    'os.getcwd': ['', () => directory],
    // The files, by their absolute paths.
    listdir: [
      'directory:string recursive:bool?',
      ({directory: given}) => {
        const path = onDisk(given);
        const entries = readdirSync(path, {withFileTypes: true});
        return entries.flatMap((entry) => (entry.isDirectory() ? [] : join(path, entry.name))).sort();
      },
    ],
    'os.path.basename': ['path:string', ({path}) => paths.basename(String(path))],
    'os.path.dirname': ['path:string', ({path}) => paths.dirname(String(path))],
    'os.path.exists': ['path:string', ({path}) => existsSync(onDisk(path))],
    'os.path.join': [
      'path:string more:string? more2:string? more3:string?',
      (given) => paths.join(...Object.values(given).map(String)),
    ],
    ...Object.fromEntries([
      record('sync', 'local_path:string remote_path:string'),
      record('run', 'cmd:any trigger:any? echo_off:bool?'),
      record('restart_container', '', 'live_update_restart_container_step'),
      record('k8s_yaml', 'yaml:any allow_duplicates:bool?'),
      record(
        'k8s_kind',
        'kind:string image_json_path:any? api_version:string? image_object:dict? pod_readiness:string?',
      ),
      record(
        'k8s_image_json_path',
        'paths:any api_version:string? kind:string? name:string? namespace:string?',
      ),
      record('k8s_custom_deploy', K8S_CUSTOM_DEPLOY),
      record(
        'v1alpha1.extension_repo',
        'name:string url:string? ref:string? load_host:string? git_subpath:string?',
      ),
      record('v1alpha1.extension', 'name:string repo_name:string? repo_path:string? args:list?'),
      record('k8s_resource', 'workload:string? port_forwards:any? resource_deps:list? labels:any?'),
    ]),
  };

  const values = {'os.name': platform, 'os.environ': options.env ?? {}};
  const read = (path: string) =>
    readFileSync(path === 'ext://kubectl_build' ? EXTENSION : onDisk(path), 'utf8');
  const {'os.environ': env} = execute(source, 'Tiltfile', {builtins, values, read});
  demand(isTexts(Object.values(env as object)), 'os.environ takes strings alone');
  return {customBuilds, dockerBuilds, warnings, filesRead, others, env: env as Record<string, string>};
}

function refuseProgram(args: readonly string[]): never {
  throw new StarlarkError(`stand-in: kubectl-tiltbuild is not expected here: ${args.join(' ')}`);
}

function blob(content: unknown): unknown {
  return {kind: 'blob', content};
}

function demand(holds: boolean, message: string): asserts holds {
  if (!holds) throw new StarlarkError(message);
}

/** Tilt's UnpackArgs lists (internal/tiltfile/docker.go), with the types that they are unpacked into. */
const COMMON = 'live_update:any? match_in_env_vars:bool? ignore:any? entrypoint:any? container_args:any?';
const DOCKER_BUILD = `ref:string context:string build_args:dict? dockerfile:string? dockerfile_contents:any? cache:any?
  ${COMMON} only:any? target:string? ssh:any? secret:any? network:string? extra_tag:any? cache_from:any? pull:bool?
  platform:string? extra_hosts:any?`;
const CUSTOM_BUILD = `ref:string command:any deps:any tag:string? disable_push:bool? skips_local_docker:bool? ${COMMON}
  command_bat_val:any? outputs_image_ref_to:string? command_bat:any? image_deps:list? env:dict? dir:string?`;
const K8S_CUSTOM_DEPLOY = `name:string apply_cmd:any delete_cmd:any deps:any image_selector:string? live_update:any?
  apply_dir:string? apply_env:dict? apply_cmd_bat:any? delete_dir:string? delete_env:dict? delete_cmd_bat:any?
  container_selector:string? image_deps:list?`;

function checkDockerBuild(given: Arguments): Arguments {
  demandReference(given.ref);
  demand(
    given.dockerfile === undefined || given.dockerfile_contents === undefined,
    'Cannot specify both dockerfile and dockerfile_contents keyword arguments',
  );
  demand(given.dockerfile_contents !== null, 'Argument (dockerfile_contents): must be string or blob.');
  for (const path of demandPatterns(given.only, 'only'))
    demand(!path.includes('*'), `'only' does not support '*' file globs. Must be a real path: ${path}`);
  demandCommon(given);
  for (const name of ['ssh', 'secret', 'extra_tag', 'cache_from', 'extra_hosts'])
    demand(isTexts([given[name] ?? []].flat()), `docker_build: for parameter "${name}": not a string`);
  for (const tag of [given.extra_tag ?? []].flat()) demandReference(tag);
  return given;
}

function checkCustomBuild(given: Arguments): Arguments {
  const {ref, command, deps, tag, outputs_image_ref_to, env = {}} = given;
  demandReference(ref);
  demand(
    isTexts(command) || typeof command === 'string',
    'Argument 2 (command): a command must be a string or list of strings',
  );
  demand(command.length > 0, "Argument 2 (command) can't be empty");
  demand(isTexts(deps), 'Argument 3 (deps): not a list of strings');
  demand(deps.length > 0, "Argument 3 (deps) can't be empty");
  demand(!tag || !outputs_image_ref_to, 'Cannot specify both tag= and outputs_image_ref_to=');
  demandCommon(given);
  demand(isTexts(Object.values(env as object)), 'custom_build: env: value is not a string');
  return given;
}

function demandCommon({entrypoint = [], container_args = [], ignore}: Arguments): void {
  demandPatterns(ignore, 'ignore');
  demand(
    typeof entrypoint === 'string' || isTexts(entrypoint),
    'a command must be a string or list of strings',
  );
  demand(isTexts(container_args), "Argument 'container_args': not a sequence of strings");
}

function demandReference(ref: unknown): void {
  try {
    parseReference(String(ref));
  } catch (cause) {
    throw new StarlarkError(`Argument 1 (ref): can't parse "${ref}": invalid reference format`, {cause});
  }
}

function demandPatterns(value: unknown, parameter: string): readonly string[] {
  const patterns = [value ?? []].flat();
  demand(isTexts(patterns), `${parameter} must be a string or a sequence of strings`);
  demand(!patterns.join().includes('\n'), `${parameter} cannot contain newlines`);
  return patterns;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
