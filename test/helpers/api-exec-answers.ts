/** Owns what a quiet builder on containerd answers to the commands that one runs in it. */
import type {ExecAnswer} from './api-state.ts';

const mounts = [
  '1021 987 0:87 / / rw,relatime master:301 - overlay overlay rw,lowerdir=/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/12/fs',
  '1022 1021 0:90 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw',
  '1040 1021 254:1 /var/lib/buildkit/default-buildkit /var/lib/buildkit/default-buildkit rw,relatime shared:1 - ext4 /dev/vda1 rw',
  '1041 1021 254:1 /var/lib/containerd /var/lib/containerd rw,relatime shared:1 - ext4 /dev/vda1 rw',
  '1042 1021 0:24 /containerd /run/containerd rw,nosuid,nodev shared:12 - tmpfs tmpfs rw,size=2468412k,mode=755',
  '',
];

const usage = [
  'ID\t\t\t\t\t\tRECLAIMABLE\tSIZE\t\tLAST ACCESSED',
  'p3ys1l3n5wqvbzv3nqx6xw0k4\t\t\ttrue\t\t7.80MB\t\t2 minutes ago',
  'wr0k9nq2s3v4x5y6z7b8c9d0f*\t\t\ttrue\t\t4.10kB\t\t2 minutes ago',
];

export function answerQuietly(command: readonly string[]): ExecAnswer {
  const line = command.join(' ');
  switch (true) {
    case /\bpgrep\b|\bpidof\b/.test(line):
      return {exitCode: 1};
    case command[0] === 'ps':
      return {
        stdout:
          'PID   USER     TIME  COMMAND\n    1 root      0:02 buildkitd --oci-worker=false --containerd-worker=true\n',
      };
    case line.includes('/proc/self/mountinfo'):
      return {stdout: mounts.join('\n')};
    case line.startsWith('buildctl du'):
      return {stdout: [...usage, 'Reclaimable:\t7.80MB', 'Total:\t\t7.80MB', ''].join('\n')};
    case line.startsWith('buildctl prune'):
      return {stdout: [...usage, 'Total:\t7.80MB', ''].join('\n')};
    case line.startsWith('buildctl debug workers'):
      return {stdout: 'ID\t\t\t\tPLATFORMS\nkx2v7nq0m3w5y6z8b9c1d4f7g\tlinux/amd64\n'};
    case line.startsWith('buildkitd --version'):
      return {
        stdout: 'buildkitd github.com/moby/buildkit v0.32.2 0e29c5a2b9e5c4a5cb40f67f2f4ed1b6a0d1f7c3\n',
      };
    case command[0] === 'true' || command[0] === 'cat' || command[0] === 'sh':
      return {};
    default:
      return {
        failure: `failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: exec: "${command[0]}": executable file not found in $PATH`,
      };
  }
}
