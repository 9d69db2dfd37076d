/** Owns reading the delegate's argv as spf13/pflag does, with pflag's error messages. */

/** A usage error; the message follows "Error: ". */
export class Refusal extends Error {}

const strings = (type, names) => names.map((name) => [name, {type}]);

/** The flags in the help of `kubectl build`. */
export const flags = new Map([
  ...strings('string', [
    'as',
    'as-uid',
    'builder',
    'cache-dir',
    'certificate-authority',
    'client-certificate',
    'client-key',
    'cluster',
    'context',
    'file',
    'frontend',
    'iidfile',
    'kubeconfig',
    'namespace',
    'network',
    'progress',
    'registry-secret',
    'request-timeout',
    'server',
    'target',
    'tls-server-name',
    'token',
    'user',
  ]),
  ...strings('stringArray', [
    'as-group',
    'build-arg',
    'cache-from',
    'cache-to',
    'label',
    'output',
    'platform',
    'secret',
    'ssh',
    'tag',
  ]),
  ...strings('strings', ['add-host', 'allow']),
  ...strings('bool', ['help', 'insecure-skip-tls-verify', 'no-cache', 'pull', 'push']),
]);

export const hiddenFlags = new Map([
  ...strings('string', [
    'cgroup-parent',
    'cpuset-cpus',
    'cpuset-mems',
    'isolation',
    'memory',
    'memory-swap',
    'shm-size',
    'ulimit',
  ]),
  ...strings('strings', ['security-opt']),
  ...strings('int', ['cpu-period', 'cpu-quota', 'cpu-shares']),
  ...strings('bool', ['compress', 'force-rm', 'quiet', 'rm', 'squash']),
]);

export const shorthands = new Map([
  ['c', 'cpu-shares'],
  ['f', 'file'],
  ['h', 'help'],
  ['m', 'memory'],
  ['n', 'namespace'],
  ['o', 'output'],
  ['q', 'quiet'],
  ['s', 'server'],
  ['t', 'tag'],
]);

/** Flags and positional arguments, in any order; `--` ends the flags. */
export function parseArgv(argv) {
  const given = new Map();
  const positional = [];
  const rest = [...argv];
  while (rest.length > 0) {
    const arg = rest.shift();
    if (arg === '--') {
      positional.push(...rest.splice(0));
    } else if (arg.startsWith('--')) {
      parseLong(arg, rest, given);
    } else if (arg.startsWith('-') && arg !== '-') {
      parseShort(arg, rest, given);
    } else {
      positional.push(arg);
    }
  }
  return {given, positional};
}

function parseLong(arg, rest, given) {
  const body = arg.slice(2);
  if (body.startsWith('-') || body.startsWith('=')) throw new Refusal(`bad flag syntax: ${arg}`);
  const equals = body.indexOf('=');
  const name = equals === -1 ? body : body.slice(0, equals);
  const flag = flags.get(name) ?? hiddenFlags.get(name);
  if (flag === undefined) throw new Refusal(`unknown flag: --${name}`);
  if (equals !== -1) setFlag(name, flag, body.slice(equals + 1), given);
  else if (flag.type === 'bool') setFlag(name, flag, 'true', given);
  else if (rest.length > 0) setFlag(name, flag, rest.shift(), given);
  else throw new Refusal(`flag needs an argument: --${name}`);
}

function parseShort(arg, rest, given) {
  let cluster = arg.slice(1);
  while (cluster.length > 0) {
    const letter = cluster[0];
    const tail = cluster.slice(1);
    const name = shorthands.get(letter);
    if (name === undefined) {
      throw new Refusal(`unknown shorthand flag: '${letter}' in -${cluster}`);
    }
    const flag = flags.get(name) ?? hiddenFlags.get(name);
    if (tail.length > 1 && tail[0] === '=') {
      setFlag(name, flag, tail.slice(1), given);
      return;
    }
    if (flag.type === 'bool') {
      setFlag(name, flag, 'true', given);
      cluster = tail;
    } else if (tail.length > 0) {
      setFlag(name, flag, tail, given);
      return;
    } else if (rest.length > 0) {
      setFlag(name, flag, rest.shift(), given);
      return;
    } else {
      throw new Refusal(`flag needs an argument: '${letter}' in -${cluster}`);
    }
  }
}

const truths = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const falsehoods = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

function setFlag(name, {type}, value, given) {
  const shorthand = [...shorthands].find(([, long]) => long === name)?.[0];
  const shown = shorthand ? `-${shorthand}, --${name}` : `--${name}`;
  const invalid = (why) => new Refusal(`invalid argument "${value}" for "${shown}" flag: ${why}`);
  switch (type) {
    case 'bool':
      if (!truths.includes(value) && !falsehoods.includes(value)) {
        throw invalid(`strconv.ParseBool: parsing "${value}": invalid syntax`);
      }
      given.set(name, truths.includes(value));
      return;
    case 'int':
      if (!/^[+-]?\d+$/.test(value)) throw invalid(`strconv.ParseInt: parsing "${value}": invalid syntax`);
      given.set(name, Number(value));
      return;
    case 'stringArray':
      given.set(name, [...(given.get(name) ?? []), value]);
      return;
    case 'strings':
      given.set(name, [...(given.get(name) ?? []), ...(value === '' ? [] : readCsv(value))]);
      return;
    default:
      given.set(name, value);
  }
}

/** The first record of `text`, as Go's encoding/csv reads it with its defaults. */
export function readCsv(text) {
  if (text === '') throw new Refusal('EOF');
  const fields = [];
  let at = 0;
  const wrong = (why) => new Refusal(`parse error on line 1, column ${at + 1}: ${why}`);
  for (;;) {
    if (text[at] === '"') {
      let field = '';
      for (at += 1; ; at += 1) {
        if (at >= text.length) throw wrong('extraneous or missing " in quoted-field');
        if (text[at] !== '"') field += text[at];
        else if (text[at + 1] === '"') {
          field += '"';
          at += 1;
        } else break;
      }
      at += 1;
      if (at < text.length && text[at] !== ',' && text[at] !== '\n') {
        throw wrong('extraneous or missing " in quoted-field');
      }
      fields.push(field);
    } else {
      const [field] = /^[^,\n]*/.exec(text.slice(at));
      const quote = field.indexOf('"');
      if (quote !== -1) {
        at += quote;
        throw wrong('bare " in non-quoted field');
      }
      fields.push(field);
      at += field.length;
    }
    if (text[at] !== ',') return fields;
    at += 1;
  }
}
