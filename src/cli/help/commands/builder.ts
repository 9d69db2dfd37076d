/** Owns the builder commands: their arguments and their help. */
import {Args, Command, Flags} from '@oclif/core';
import {connectionFlags, list, text} from '../../argv/flags.ts';

const name = {
  name: Args.string({description: 'The builder (default: BUILDX_BUILDER, else buildkit)', ignoreStdin: true}),
};
const help = {help: Flags.boolean({char: 'h', summary: 'Show this help'})};

/** A command line as oclif read it; the flags are those of the command's class. */
export interface BuilderInput {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly name: string | undefined;
}

abstract class BuilderCommand extends Command {
  override async run(): Promise<BuilderInput> {
    const {flags, args} = await this.parse(this.ctor as typeof BuilderCommand);
    return {flags, name: args.name};
  }
}

export class BuilderList extends BuilderCommand {
  static override summary = 'List the builders of a namespace: how they are, and whether RUN works on them.';
  static override usage = ['builder ls [flags]'];
  static override flags = {
    output: Flags.option({
      char: 'o',
      options: ['table', 'json'] as const,
      helpValue: 'FORM',
      summary: 'table or json (default: table)',
    })(),
    ...help,
    ...connectionFlags,
  };
}

export class BuilderCreate extends BuilderCommand {
  static override summary = 'Make a builder that works, and wait for it.';
  static override usage = ['builder create [NAME] [flags]'];
  static override examples = [
    {
      description: 'The manifest, to keep it in git.',
      command: 'kubectl tiltbuild builder create --dry-run > builder.yaml',
    },
    {
      description: 'Anew, with network.host for builds that ask for it.',
      command: 'kubectl tiltbuild builder create --replace --allow network.host',
    },
  ];
  static override args = name;
  static override flags = {
    ...help,
    'dry-run': Flags.boolean({default: false, summary: 'Print the manifest, and change nothing'}),
    replace: Flags.boolean({default: false, summary: 'Make an existing builder anew'}),
    force: Flags.boolean({default: false, summary: 'Replace it even if a build is running on it'}),
    image: text({
      helpValue: 'IMAGE',
      summary: 'BuildKit image, e.g. of a mirror (default: the tried version)',
    }),
    replicas: text({
      helpValue: 'N|nodes',
      summary: 'How many pods; nodes for one on every node (default: 1)',
    }),
    rootless: Flags.boolean({
      default: false,
      summary: 'Without privileges and without the runtime of the nodes; builds on it have to --push',
    }),
    allow: Flags.option({
      options: ['network.host'] as const,
      helpValue: 'ENTITLEMENT',
      summary: 'What builds may ask for: network.host',
    })(),
    'request-cpu': text({helpValue: 'CPU', summary: 'Processor time to reserve, e.g. 500m'}),
    'request-memory': text({helpValue: 'MEMORY', summary: 'Memory to reserve, e.g. 2Gi'}),
    'node-selector': text({helpValue: 'KEY=VALUE,…', summary: 'Labels that its nodes must have'}),
    toleration: list({helpValue: 'KEY=VALUE:EFFECT', summary: 'A taint that it tolerates; repeatable'}),
    env: list({
      helpValue: 'NAME=VALUE',
      summary:
        "A variable for BuildKit, such as a proxy; your workstation's are never taken over; repeatable",
    }),
    'containerd-socket': text({
      helpValue: 'PATH',
      summary: "containerd's socket on the nodes (default: the product's)",
    }),
    'containerd-root': text({helpValue: 'PATH', summary: "containerd's root directory on the nodes"}),
    'containerd-state': text({helpValue: 'PATH', summary: "containerd's state directory on the nodes"}),
    timeout: text({helpValue: 'TIME', summary: 'How long it may take to start (default: 2m)'}),
    ...connectionFlags,
  };
}

export class BuilderRemove extends BuilderCommand {
  static override summary = 'Remove a builder and its configuration.';
  static override usage = ['builder rm NAME [flags]'];
  static override args = {name: Args.string({description: 'The builder', ignoreStdin: true, required: true})};
  static override flags = {
    yes: Flags.boolean({char: 'y', default: false, summary: 'Do not ask'}),
    ...help,
    ...connectionFlags,
  };
}

export class BuilderLogs extends BuilderCommand {
  static override summary = "Show BuildKit's log.";
  static override usage = ['builder logs [NAME] [flags]'];
  static override args = name;
  static override flags = {
    follow: Flags.boolean({char: 'f', default: false, summary: 'Go on as it grows'}),
    ...help,
    ...connectionFlags,
  };
}

export class BuilderDiskUsage extends BuilderCommand {
  static override summary = 'Show what the cache of a builder takes.';
  static override usage = ['builder du [NAME] [flags]'];
  static override args = name;
  static override flags = {...help, ...connectionFlags};
}

export class BuilderPrune extends BuilderCommand {
  static override summary = 'Remove what is unused from the cache of a builder.';
  static override usage = ['builder prune [NAME] [flags]'];
  static override args = name;
  static override flags = {
    all: Flags.boolean({char: 'a', default: false, summary: 'Also what is internal and of frontends'}),
    ...help,
    ...connectionFlags,
  };
}
