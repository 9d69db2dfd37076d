/** Owns which version of the program this is. */
import pjson from '../../../package.json' with {type: 'json'};

export const VERSION: string = pjson.version;

/** Put in by the compiler (scripts/bun-compile.ts); there is no such variable in the source. */
declare const TILTBUILD_COMMIT: string | undefined;

/** The commit that the program was compiled from. */
export const COMMIT: string = typeof TILTBUILD_COMMIT === 'string' ? TILTBUILD_COMMIT : 'from source';
