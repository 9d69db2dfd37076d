/** Owns running kubectl again for a read whose connection was closed. */
import {isOwnError, type RunKubectl} from './kubectl-reader.ts';
import {backOff, MOST_RETRIES, wait} from './retry-requests.ts';

/** In the words of Go, and of Windows. */
const CLOSED =
  /\bEOF$|connection reset by peer|broken pipe|forcibly closed by the remote host|use of closed network connection|server closed idle connection|client connection lost|sent GOAWAY/;

/**
 * `run`, for what changes nothing. client-go itself asks again for objects by name, and neither for a path (`get --raw`:
 * `Request.Stream`) nor with a POST (`create --raw`).
 */
export function retryKubectl(run: RunKubectl, sleep = wait): RunKubectl {
  return async (args, input) => {
    for (let retry = 0; ; retry += 1) {
      const ended = await run(args, input);
      const isClosed =
        ended.exitCode !== 0 &&
        ended.stderr.split('\n').some((line) => isOwnError(line) && CLOSED.test(line.trim()));
      if (!isClosed || retry === MOST_RETRIES) return ended;
      await sleep(backOff(retry));
    }
  };
}
