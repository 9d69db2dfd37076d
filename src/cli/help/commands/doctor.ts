/** Owns the command `doctor`: its flags and its help. */
import {Command, Flags, type Interfaces} from '@oclif/core';
import {flags as buildFlags, connectionFlags, text} from '../../argv/flags.ts';

export interface DoctorInput {
  readonly flags: Interfaces.InferredFlags<typeof DoctorCommand.flags>;
}

export class DoctorCommand extends Command {
  static override summary = 'Check all that a build needs, and name the cure for what is wrong.';
  static override description =
    'Exits with 0 when a build would work, with 4 when not. A directory called doctor is built as ./doctor.';
  static override usage = ['doctor [flags]'];
  static override flags = {
    output: Flags.option({
      char: 'o',
      options: ['text', 'json'] as const,
      helpValue: 'FORM',
      summary: 'text or json (default: text)',
    })(),
    fix: Flags.boolean({
      default: false,
      summary:
        'Make the builder where there is none, and mend one that is broken, as a build does; it asks first',
    }),
    yes: Flags.boolean({char: 'y', default: false, summary: 'Do not ask'}),
    builder: buildFlags.builder,
    'registry-secret': buildFlags['registry-secret'],
    timeout: text({helpValue: 'TIME', summary: 'How long the checks may take (default: 3s)'}),
    help: Flags.boolean({char: 'h', summary: 'Show this help'}),
    ...connectionFlags,
  };

  override async run(): Promise<DoctorInput> {
    const {flags} = await this.parse(DoctorCommand);
    return {flags};
  }
}
