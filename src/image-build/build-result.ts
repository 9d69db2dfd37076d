/** Owns what came of a build, and its forms on standard output and in a metadata file. */
import type {Product} from '../cluster/product.ts';
import type {PrintForm} from './build-request.ts';

export interface BuildResult {
  /** `sha256:…` of the manifest, or of the manifest list; undefined where the build makes no image. */
  readonly digest: string | undefined;
  /** `NAME:TAG` with the tag made from the digest; null where none was asked for. */
  readonly reference: string | null;
  /** The canonical names that the image carries, that of `reference` first. */
  readonly references: readonly string[];
  readonly product: Product;
  readonly context: string;
  readonly namespace: string;
  readonly builder: string;
  /** Name of the pull secret; null for none. */
  readonly pullSecret: string | null;
  /** How long it all took, to the millisecond. */
  readonly seconds: number;
}

/** The metadata file's text, which is also what `--print json` prints: one JSON object and a newline. */
export function formatMetadata({digest, ...rest}: BuildResult): string {
  return `${JSON.stringify({digest: digest ?? null, ...rest})}\n`;
}

/** What goes to standard output; empty where there is nothing to print. */
export function formatResult(result: BuildResult, form: PrintForm): string {
  switch (form) {
    case 'digest':
      return result.digest === undefined ? '' : `${result.digest}\n`;
    case 'ref':
      return result.references.map((reference) => `${reference}\n`).join('');
    case 'json':
      return formatMetadata(result);
    case 'none':
      return '';
  }
}
