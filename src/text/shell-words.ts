/** Owns how a command is shown: quoted for the shell that reads it, with its secrets masked. */
import {maskSecrets} from './mask-secrets.ts';
import {hasControls} from './show-text.ts';

export type Shell = 'posix' | 'powershell' | 'cmd';

/** Changes to the environment that the command needs; undefined unsets a variable. */
type Changes = Readonly<Record<string, string | undefined>>;

export function formatCommand(
  words: readonly string[],
  {shell = 'posix', env = {}}: {readonly shell?: Shell; readonly env?: Changes} = {},
): string {
  const command = maskSecrets(words).map(QUOTES[shell]).join(' ');
  const changes = Object.entries(env);
  switch (shell) {
    case 'posix': {
      if (changes.length === 0) return command;
      const unset = changes.flatMap(([name, value]) => (value === undefined ? [`-u ${name}`] : []));
      const set = changes.flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}=${quotePosix(value)}`],
      );
      return ['env', ...unset, ...set, command].join(' ');
    }
    case 'powershell':
      return [
        ...changes.map(
          ([name, value]) => `$env:${name} = ${value === undefined ? '$null' : literalPowerShell(value)}; `,
        ),
        // Without `&` PowerShell takes a quoted word for a string, not for a command.
        ...(/^['"]/.test(command) ? ['& '] : []),
        command,
      ].join('');
    case 'cmd':
      return [...changes.map(([name, value]) => `set "${name}=${value ?? ''}" && `), command].join('');
    default:
      return shell satisfies never;
  }
}

/** One word of a command. */
export function quoteWord(word: string, shell: Shell): string {
  return QUOTES[shell](word);
}

function quotePosix(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return hasControls(word) ? literalAnsi(word) : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** As bash, zsh, ksh and the shell of BusyBox read it: nothing else can write a control character so it can be seen. */
function literalAnsi(word: string): string {
  const shown = [...word].map((character) => {
    const code = character.codePointAt(0) ?? 0;
    if (!hasControls(character)) return character.replace(/[\\']/, '\\$&');
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
    return code <= 0xffff
      ? `\\u${code.toString(16).padStart(4, '0')}`
      : `\\U${code.toString(16).padStart(8, '0')}`;
  });
  return `$'${shown.join('')}'`;
}

/** As PowerShell 7.3 and later pass it on; typographic quotes count as quotes there. */
function quotePowerShell(word: string): string {
  return /^[\w=:./\\-]+$/.test(word) && !word.startsWith('-') ? word : literalPowerShell(word);
}

function literalPowerShell(text: string): string {
  if (!hasControls(text)) return `'${text.replaceAll(/['‘’‚‛]/g, '$&$&')}'`;
  const shown = [...text].map((character) =>
    hasControls(character)
      ? `\`u{${(character.codePointAt(0) ?? 0).toString(16)}}`
      : character.replace(/["“”„`$]/, '`$&'),
  );
  return `"${shown.join('')}"`;
}

/** First for the C runtime, which splits the command line, then for cmd, which sees no quotes once each has a caret. */
function quoteCmd(word: string): string {
  if (/^[\w@+=:,./\\-]+$/.test(word)) return word;
  const quoted = `"${word.replaceAll(/(\\*)("|$)/g, (_, slashes: string, end: string) => slashes.repeat(2) + (end && '\\"'))}"`;
  return quoted.replaceAll(/[()%!^"<>&|]/g, '^$&');
}

const QUOTES: Readonly<Record<Shell, (word: string) => string>> = {
  posix: quotePosix,
  powershell: quotePowerShell,
  cmd: quoteCmd,
};
