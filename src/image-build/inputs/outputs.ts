/** Owns what `--output` and `--push` mean for the result: whether it has a digest, and who writes to stdout. */
import {TiltbuildError} from '../../errors.ts';
import {readCsvFields} from '../../text/csv-fields.ts';

/** Where the build's result goes. */
export interface Destination {
  /**
   * `runtime`: into the node, the default. `image`: an image, in a registry or in the builder.
   * `archive`: an image as a tar file (type oci or docker). `files`: no image at all (type local or tar).
   */
  readonly kind: 'runtime' | 'image' | 'archive' | 'files';
  /** Whether kubectl build writes the result to its standard output (`dest=-`). */
  readonly stdout: boolean;
}

/** By the rules of kubectl build's ParseOutputs, which are docker's. It refuses unknown types itself. */
export function readDestination(outputs: readonly string[], push: boolean): Destination {
  if (outputs.length > 1) {
    throw new TiltbuildError('usage', 'A build has only one --output.', {
      remedy: ['Run one build for each output; all but the first are cached.'],
    });
  }
  const [spec] = outputs;
  if (spec === undefined) return {kind: push ? 'image' : 'runtime', stdout: false};

  const fields = readCsvFields(spec);
  if (fields === undefined) throw new TiltbuildError('usage', `Invalid --output ${spec}: unbalanced quotes.`);
  if (fields.length === 1 && !spec.startsWith('type=')) return {kind: 'files', stdout: spec === '-'};

  // As with a map, the last one of a key counts.
  const value = (key: string) => fields.findLast((field) => field.key.trim().toLowerCase() === key)?.value;
  const type = value('type');
  const dest = value('dest');
  switch (type) {
    case 'local':
      return {kind: 'files', stdout: false};
    case 'tar':
      return {kind: 'files', stdout: dest === undefined || dest === '-'};
    case 'oci':
    case 'docker':
      return {kind: 'archive', stdout: dest === '-'};
    default:
      return {kind: 'image', stdout: false};
  }
}
