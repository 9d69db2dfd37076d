/** Owns `--ssh`: which agent a RUN step reaches under which id, a user's own or one of ours with the keys of files. */
import type {Duplex} from 'node:stream';
import {openKeyAgent, readSshKey, type SshKey} from '../../../buildkit/session/ssh-keys.ts';
import {TiltbuildError} from '../../../errors.ts';
import type {Ports} from '../../../ports.ts';
import {reasonOf} from '../../../system-error.ts';
import {splitKeyValue} from '../../../text/key-value.ts';
import {hideSecret} from '../../../text/mask-secrets.ts';

type Env = Readonly<Record<string, string | undefined>>;
type Connect = () => Promise<Duplex>;

/**
 * By id. Each spec is `ID`, `ID=SOCKET` or `ID=KEYFILE[,KEYFILE…]`; without a path it is SSH_AUTH_SOCK. Throws `usage`
 * where that is not set, and for files that cannot be used.
 */
export async function findAgents(
  specs: readonly string[],
  env: Env,
  ports: Pick<Ports, 'files' | 'builtin'>,
): Promise<ReadonlyMap<string, Connect>> {
  const found = new Map<string, Connect>();
  for (const spec of specs) {
    const {key: id, value = env.SSH_AUTH_SOCK} = splitKeyValue(spec);
    if (!value) {
      throw new TiltbuildError(
        'usage',
        `--ssh ${hideSecret(id)}: SSH_AUTH_SOCK is not set, so there is no agent to forward.`,
        {remedy: ['Start an agent and add your key to it with ssh-add.']},
      );
    }
    found.set(id, await openSource(id, value.split(','), ports));
  }
  return found;
}

async function openSource(
  id: string,
  paths: readonly string[],
  {files, builtin}: Pick<Ports, 'files' | 'builtin'>,
): Promise<Connect> {
  const keys: SshKey[] = [];
  for (const path of paths) {
    // An agent's socket is connected to later.
    if (files.kindOf(path) === 'other') continue;
    const content = await files.readBytes(path).catch((cause: unknown) => {
      throw new TiltbuildError(
        'usage',
        `--ssh ${hideSecret(id)}: could not read "${hideSecret(path)}": ${reasonOf(cause)}.`,
        {
          cause,
        },
      );
    });
    keys.push(readSshKey(path, Buffer.from(content)));
  }
  if (keys.length === paths.length) return async () => openKeyAgent(keys);
  const [socket = '', ...others] = paths;
  if (others.length === 0) return () => builtin.connectAgent(socket);
  throw new TiltbuildError(
    'usage',
    `--ssh ${hideSecret(id)}: pass either one socket of an agent, or files of keys.`,
  );
}
