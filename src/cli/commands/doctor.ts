/** Owns the definition of `doctor`: its flags and its help. */
import {clusterFlags} from './build.ts';
import {connectionFlags, help, yes} from './common-flags.ts';
import {type CommandDefinition, choice, text, toggle} from './definition.ts';

export const doctor = {
  summary: 'Check everything that a build needs, and suggest fixes',
  description: 'The exit code is 0 if a build would work, else 4.',
  usage: 'doctor [flags]',
  flags: {
    output: choice('FORM', ['text', 'json'], 'Output format: text or json (default: text)', {char: 'o'}),
    fix: toggle('Create a missing builder or repair a broken one, as a build does, after asking'),
    yes,
    timeout: text('TIME', 'Time limit for the checks (default: 3s)'),
    help,
    engine: clusterFlags.engine,
    builder: clusterFlags.builder,
    'registry-secret': clusterFlags['registry-secret'],
    ...connectionFlags,
  },
} as const satisfies CommandDefinition;
