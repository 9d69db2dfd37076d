/** Owns the build command: its arguments and its help. */
import {Args, Command} from '@oclif/core';
import {flags} from '../../argv/flags.ts';
import {EXIT_CODE_HELP} from '../../render/exit-codes.ts';

const args = {
  path: Args.string({
    description:
      'The build context: a directory, a Git or HTTP URL, or - for an archive or a Dockerfile on standard input',
    // Without this oclif would read standard input where PATH is missing.
    ignoreStdin: true,
    required: true,
  }),
};

export class BuildCommand extends Command {
  static override summary = 'Build an image inside the cluster, straight into the runtime of its nodes.';
  static override description = [
    'The build is done by the BuildKit plugin `kubectl build`, which has to be installed. Before it starts, the cluster is identified and what cannot work there is refused; afterwards the digest is printed.',
    '',
    EXIT_CODE_HELP,
  ].join('\n');
  static override usage = ['[flags] PATH | URL | - [-- flags for kubectl build]'];
  static override examples = [
    {description: 'Build the current directory.', command: 'kubectl tiltbuild -t localhost/web:dev .'},
    {
      description: 'In a Tiltfile:',
      command:
        "custom_build('localhost/web', 'kubectl tiltbuild -t $EXPECTED_REF .', ['.'], skips_local_docker=True, disable_push=True)",
    },
    {
      description: 'A secret from the environment, and the names in full as result.',
      command: 'kubectl tiltbuild -t ghcr.io/me/web:dev --secret id=npm,env=NPM_TOKEN --print ref .',
    },
  ];
  static override args = args;
  static override flags = flags;

  /** What oclif makes of a command line; a build is read by `flag-values.ts`, which a test holds to be the same. */
  override async run() {
    return await this.parse(BuildCommand);
  }
}
