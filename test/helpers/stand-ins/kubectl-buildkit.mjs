/** Owns the stand-in of `kubectl-buildkit`: only `version`, and as strict about its kubeconfig as the real one. */
import {existsSync, readFileSync} from 'node:fs';
import {connect} from 'node:net';
import {parse} from 'yaml';
import {readRecording} from './transcripts.mjs';

/**
 * It asks for the builder's version in the current context of KUBECONFIG, and prints nothing before there is an answer
 * (pkg/cmd/version.go). A server that accepts the connection stands for a builder that answers.
 */
export function main() {
  const argv = process.argv.slice(2);
  if (argv.length !== 1 || argv[0] !== 'version') {
    return end(1, '', `Error: unknown command "${argv.join(' ')}" for "buildkit"\n`);
  }
  const server = findServer(process.env.KUBECONFIG ?? '');
  if (server === undefined) {
    return end(1, '', 'Error: no context is currently set, use "kubectl config use-context"\n');
  }
  const recorded = readRecording('buildkit-version').stdout;
  const {hostname, port} = new URL(server);
  const socket = connect(Number(port), hostname)
    .on('connect', () => {
      socket.destroy();
      end(0, recorded, '');
    })
    .on('error', ({message}) => end(0, recorded.replace(/(?<=^Builder: ).*/m, message), ''));
}

function findServer(path) {
  if (!existsSync(path)) return undefined;
  const config = parse(readFileSync(path, 'utf8'));
  const named = config.contexts?.find(({name}) => name === config['current-context'])?.context;
  return config.clusters?.find(({name}) => name === named?.cluster)?.cluster.server;
}

function end(exitCode, stdout, stderr) {
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = exitCode;
}
