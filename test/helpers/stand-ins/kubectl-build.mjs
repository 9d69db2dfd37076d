/** Owns the stand-in of `kubectl-build`: strict about its argv, and prints what was recorded. */
import {spawnSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {isatty} from 'node:tty';
import {Parser} from 'tar';
import {checkOptions} from './build-options.mjs';
import {InvocationLog, seeFile} from './invocation-log.mjs';
import {parseArgv, Refusal} from './pflag.mjs';
import {
  adaptPushFailure,
  adaptSuccess,
  chooseRecording,
  nameContent,
  nameDockerfile,
  readRecording,
} from './transcripts.mjs';

const failures = {
  'copy-missing': 'copy-missing',
  'otel-socket': 'run-fails-on-default-builder',
  'run-fails': 'run-fails',
  'syntax-error': 'dockerfile-syntax',
};

const panic = `panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1b3e2a6]

goroutine 1 [running]:
main.main()
\tcmd/kubectl-build/main.go:24 +0x1a5
`;

/** Runs like the delegate, and exits. `behaviour` is one of those in `delegate.ts`. */
export async function main({behaviour, logDirectory}) {
  const terminal = {stdin: isatty(0), stdout: isatty(1), stderr: isatty(2)};
  const argv = process.argv.slice(2);
  const env = {...process.env};
  const log = new InvocationLog(logDirectory, {argv, env, cwd: process.cwd(), pid: process.pid, terminal});
  const end = (exitCode) => {
    log.add({exitCode});
    process.exit(exitCode);
  };
  // A Go program dies of SIGPIPE, which Node turns into an error event.
  process.stderr.on('error', () => process.exit(141));
  process.stdout.on('error', () => process.exit(141));
  if (behaviour === 'ignores-signals') {
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => log.addSignal(signal));
  }
  let options;
  try {
    options = readOptions(argv, env, log);
    if (options === undefined) return end(0);
    await readInputs(options.inputs, log);
    if (options.plugin !== undefined) log.add({login: logIn(options.plugin, env)});
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await print(`Error: ${error.message}\n`);
    return end(1);
  }
  end(await build(behaviour, options, log));
}

function readOptions(argv, env, log) {
  const parsed = parseArgv(argv);
  if (parsed.given.get('help')) {
    process.stdout.write(readRecording('help').stdout);
    return undefined;
  }
  if (parsed.positional.length !== 1) {
    const recorded = readRecording('no-arguments').stderr;
    throw new Refusal(recorded.slice('Error: '.length).trimEnd());
  }
  const options = checkOptions(parsed, env);
  const {inputs} = options;
  log.add({
    kubeconfigs: options.kubeconfigs.map(seeFile),
    secrets: options.secrets.map(({id, path}) => ({id, ...seeFile(path)})),
    dockerfile: inputs.path !== undefined && existsSync(inputs.path) ? seeFile(inputs.path) : null,
  });
  return {...options, given: parsed.given, env};
}

/** Gets a token from the kubeconfig's credential plugin, as client-go does for the first request. */
function logIn({apiVersion, command, args = [], env: variables = []}, env) {
  const added = Object.fromEntries(variables.map(({name, value}) => [name, value]));
  const request = {kind: 'ExecCredential', apiVersion, spec: {interactive: false}};
  const ended = spawnSync(command, args, {
    env: {...env, ...added, KUBERNETES_EXEC_INFO: JSON.stringify(request)},
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (ended.status !== 0) {
    const how = ended.error?.message ?? `executable ${command} failed with exit code ${ended.status}`;
    throw new Refusal(`getting credentials: exec: ${how}`);
  }
  const answer = JSON.parse(ended.stdout);
  if (answer.kind !== 'ExecCredential' || answer.apiVersion !== apiVersion || !answer.status?.token)
    throw new Refusal('getting credentials: decoding stdout');
  return answer.status.token;
}

/** Reads standard input only if the command line says so. */
async function readInputs(inputs, log) {
  if (inputs.stdin === undefined) return;
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const content = Buffer.concat(chunks);
  log.add({stdin: content.toString('base64')});
  const isGzip = content[0] === 0x1f && content[1] === 0x8b;
  const isTar = content.subarray(257, 262).toString() === 'ustar';
  if (isTar) log.add(await seeArchive(content, inputs.file || inputs.dockerfile));
  if (inputs.stdin === 'context' && !isGzip && !isTar && inputs.file !== '') {
    throw new Refusal('ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles');
  }
  if (inputs.stdin === 'dockerfile') {
    // The real one creates this directory, and leaves it behind if the build succeeds.
    inputs.temporary = mkdtempSync(join(process.env.TMPDIR || '/tmp', 'dockerfile'));
    writeFileSync(join(inputs.temporary, 'Dockerfile'), content);
  }
}

/** What is in the archive of a context. */
async function seeArchive(content, dockerfilePath) {
  const context = [];
  const text = [];
  const parser = new Parser({
    onReadEntry: (entry) => {
      context.push(entry.path);
      if (entry.path === dockerfilePath) entry.on('data', (chunk) => text.push(chunk));
      else entry.resume();
    },
  });
  const ended = once(parser, 'end');
  parser.end(content);
  await ended;
  const dockerfile = context.includes(dockerfilePath)
    ? {path: dockerfilePath, content: Buffer.concat(text).toString()}
    : null;
  return {context, dockerfile};
}

/** The build itself; resolves to the exit code. */
async function build(behaviour, options, log) {
  const {inputs, output, iidfile, pushing, tags, given, network} = options;
  const fail = async (text) => {
    if (inputs.temporary) rmSync(inputs.temporary, {recursive: true});
    await print(text);
    return 1;
  };
  // It sends the name in a header.
  if (/[^\x20-\x7e]/.test(basename(process.cwd()))) return fail(readRecording('cwd-not-ascii').stderr);
  if (inputs.path !== undefined && !existsSync(inputs.path)) {
    const recorded = readRecording('dockerfile-missing').stderr;
    return fail(nameDockerfile(recorded, inputs).replace('open nope:', `open ${inputs.dockerfile}:`));
  }
  if (network === 'host' || network === 'none') return fail(readRecording('network-host').stderr);
  if (behaviour in failures) {
    return fail(nameDockerfile(readRecording(failures[behaviour]).stderr, inputs));
  }
  if (behaviour === 'push-401' && pushing) {
    const secret = given.get('registry-secret');
    const recorded = readRecording(secret ? 'push-401-missing-secret' : 'push-401-no-secret');
    const looked = secret || given.get('builder') || options.env.BUILDX_BUILDER || 'buildkit';
    return fail(adaptPushFailure(recorded.stderr, {tags, inputs}, looked));
  }
  if (behaviour === 'panics') {
    await print(panic);
    return 2;
  }
  if (behaviour === 'slow') return await buildSlowly(inputs, log);
  if (behaviour === 'ignores-signals') {
    await print(readRecording('sigint').stderr.replace(/^#3 1\.100[\s\S]*/m, ''));
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    return 1;
  }
  if (behaviour === 'hangs') {
    await print(readRecording('sigint').stderr.replace(/^#3 1\.100[\s\S]*/m, ''));
    await new Promise((resolve) => setTimeout(resolve, 300_000));
  }
  if (behaviour === 'floods') await flood();

  const digestNow = behaviour === 'changes' ? `sha256:${randomBytes(32).toString('hex')}` : undefined;
  const recorded = nameContent(readRecording(chooseRecording(options)).stderr, options, digestNow);
  const {text, digest} = adaptSuccess(recorded, options);
  if (behaviour === 'no-digest') {
    await print(text.replaceAll(/^#\d+ exporting (manifest|config).*\n/gm, ''));
    return 0;
  }
  await print(text);
  if (output.type === 'local') {
    mkdirSync(output.dest, {recursive: true});
    writeFileSync(join(output.dest, 'index.html'), '<p>built</p>\n');
  } else if (output.dest === '-') await new Promise((done) => process.stdout.write(fakeTarball, done));
  else if (output.dest) writeFileSync(output.dest, fakeTarball);
  if (iidfile !== '' && digest !== undefined) writeFileSync(iidfile, digest);
  return 0;
}

/** Bytes that are not valid text. */
const fakeTarball = Buffer.concat([Buffer.from([0xff, 0xfe, 0x00, 0x80]), Buffer.alloc(1020, 0xaa)]);

/** Prints one tick per second, as recorded, until a signal cancels the build. */
async function buildSlowly(inputs, log) {
  const lines = nameDockerfile(readRecording('sigint').stderr, inputs).split('\n');
  const firstTick = lines.findIndex((line) => / tick 0$/.test(line));
  const stopped = lines.findIndex((line) => line.endsWith(' CANCELED'));
  const step = lines[stopped].split(' ')[0];
  const canceled = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) {
      process.on(signal, () => {
        log.addSignal(signal);
        resolve('canceled');
      });
    }
  });
  await print(`${lines.slice(0, firstTick).join('\n')}\n`);
  const started = performance.now();
  for (let tick = 0; tick < 60; tick += 1) {
    const line = lines[firstTick + tick] ?? '';
    const recorded = / tick \d+$/.test(line) ? line : `${step} ${tick}.100 tick ${tick}`;
    const due = Number(recorded.split(' ')[1]) * 1000 - (performance.now() - started);
    if ((await Promise.race([canceled, after(due)])) === 'canceled') {
      await print(`${lines.slice(stopped).join('\n')}`);
      return 1;
    }
    await print(`${recorded}\n`);
  }
  await print('stand-in: nobody canceled the build\n');
  return 99;
}

function after(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, 'due'));
}

async function flood() {
  const line = '#9 1.234 the quick brown fox jumps over the lazy dog, again and again and again\n';
  const chunk = line.repeat(Math.ceil(65_536 / line.length));
  for (let written = 0; written < 200_000_000; written += chunk.length) await print(chunk);
}

/** Resolves when the text is written, so a slow reader slows us down. */
function print(text) {
  return new Promise((resolve) => process.stderr.write(text, resolve));
}
