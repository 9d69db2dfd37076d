/** Owns the rim of the ports: a system error that an adapter throws becomes one for the user, with what it was about. */
import type {Ports} from '../ports.ts';
import {describeSystemError, type Subject} from '../system-error.ts';

/**
 * The same ports. Left as they are: the files of a build context and the outputs, whose readers say more of an error,
 * and which are called a hundred thousand times.
 */
export function describeFaults(ports: Ports): Ports {
  const {files, input, clusters, delegate, programs} = ports;
  const about = <T extends object>(port: T, subjectOf: (args: readonly unknown[]) => Subject) =>
    describe(port, (error, args) => {
      throw describeSystemError(error, subjectOf(args));
    });
  return {
    ...about(ports, () => undefined),
    notes: about(ports.notes, () => 'standard error'),
    files: about(files, ([path]) => quote(path) ?? 'the temporary directory'),
    input: about(input, () => 'standard input'),
    clusters: {
      connect: (target, connection) => {
        const subjectOf = () => `the cluster at ${target.cluster.server}`;
        return about(about(clusters, subjectOf).connect(target, connection), subjectOf);
      },
    },
    delegate: about(
      delegate,
      ([run]) => quote((run as {program?: unknown} | undefined)?.program) ?? 'kubectl-build',
    ),
    programs: about(programs, ([program]) => quote(program)),
  };
}

/** A proxy, and so of every method that there is. */
function describe<T extends object>(
  port: T,
  describeError: (error: unknown, args: readonly unknown[]) => never,
): T {
  return new Proxy(port, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]) => {
        const rethrow = (error: unknown) => describeError(error, args);
        try {
          const result: unknown = value.apply(target, args);
          return result instanceof Promise ? result.catch(rethrow) : result;
        } catch (error) {
          return rethrow(error);
        }
      };
    },
  });
}

function quote(value: unknown): Subject {
  return typeof value === 'string' ? JSON.stringify(value) : undefined;
}
