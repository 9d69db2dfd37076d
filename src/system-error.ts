/** Owns the words for errors of the operating system. */
import {TiltbuildError} from './errors.ts';

/** An error with the system's own code, such as ENOSPC; the codes of the runtime's own errors have an underscore. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && /^E[A-Z0-9]+$/.test(String(error.code));
}

export function isDenied(error: unknown): boolean {
  const {code} = causeOf(error);
  return code === 'EACCES' || code === 'EPERM';
}

/** Whether there is no such file. */
export function isMissing(error: unknown): boolean {
  return causeOf(error).code === 'ENOENT';
}

/** The reason alone, without the path and the system call. */
export function reasonOf(error: unknown): string {
  if (isDenied(error)) return 'permission denied';
  const {code, message, syscall} = causeOf(error);
  switch (code) {
    case 'ENOSPC':
      return 'the disk is full';
    case 'EDQUOT':
      return 'the disk quota is used up';
    case 'EFBIG':
      return READS.test(syscall)
        ? 'it is larger than 64 MB'
        : 'the file would be larger than the limit of this process (ulimit -f)';
    case 'EROFS':
      return 'the file system is read-only';
    case 'EIO':
      return 'the device reported an error';
    case 'EMFILE':
      return 'too many files are open in this process (ulimit -n)';
    case 'ENFILE':
      return 'too many files are open on this machine';
    case 'EBADF':
      return 'no such file is open';
    case 'EAGAIN':
    case 'ENOMEM':
      return 'the system has no room for another process';
    case 'ENOEXEC':
      return 'it is neither a program for this machine nor a script';
    case 'ENOENT':
      return STARTS.test(syscall)
        ? 'it or its interpreter does not exist'
        : 'there is no such file or directory';
    case 'EEXIST':
      return 'something of that name is there already';
    case 'ENAMETOOLONG':
      return 'a name is too long';
    case 'ELOOP':
      return 'its symbolic links go round in circles';
    case 'ENOTDIR':
      return 'a part of the path is not a directory';
    case 'EISDIR':
      return 'it is a directory';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the other side closed the connection';
    case 'ECONNREFUSED':
      return 'nothing listens there';
    case 'ENOTFOUND':
      return 'no host has that name';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no route to it';
    case 'ETIMEDOUT':
      return 'it did not answer in time';
    default:
      return code ?? message;
  }
}

/** What a port failed at, as it stands in a sentence: a path in quotes, a host. */
export type Subject = string | undefined;

/** The error for the user, if `error` is one of the system's; any other is returned as it is. */
export function describeSystemError(error: unknown, subject?: Subject): unknown {
  if (!isSystemError(error)) return error;
  const {syscall = '', path, code} = error;
  const isStart = path !== undefined && STARTS.test(syscall);
  const verb = isStart ? 'start' : (VERBS.find(([calls]) => calls.test(syscall))?.[1] ?? 'use');
  const what = path === undefined ? subject : JSON.stringify(path);
  const why = reasonOf(error);
  return new TiltbuildError(
    STARTS.test(syscall) ? 'tool-missing' : 'system-fault',
    what === undefined
      ? `The system reported an error: ${why} (${syscall || code}).`
      : `Could not ${verb} ${what}: ${why}.`,
    {cause: error},
  );
}

const READS = /^(?:open|read|scandir|[lf]?stat|access|realpath)/;
const STARTS = /^(?:posix_)?spawn/;

/** By system call. */
const VERBS: readonly (readonly [RegExp, string])[] = [
  [READS, 'read'],
  [STARTS, 'start a program for'],
  [/^(?:write|mk|rename|(?:sym)?link|f?ch|l?f?utime|copy|f?trunc|f?sync)/, 'write'],
  [/^(?:unlink|rm)/, 'remove'],
  [/^(?:connect|getaddrinfo)/, 'connect to'],
];

/** Of an error that a port described, what the system said. */
function causeOf(error: unknown): {
  readonly code?: string;
  readonly message: string;
  readonly syscall: string;
} {
  if (error instanceof TiltbuildError && isSystemError(error.cause)) return causeOf(error.cause);
  if (!(error instanceof Error)) return {message: String(error), syscall: ''};
  const {code, syscall = ''} = error as NodeJS.ErrnoException;
  // The codes of other errors, such as gRPC's numbers, tell nobody anything.
  return {...(/^[A-Z]\w*$/.test(String(code)) && {code: String(code)}), message: error.message, syscall};
}
