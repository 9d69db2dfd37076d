/** Owns what a command knows of the process that it runs in. */

/** What a build needs to know of the process that it runs in. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** As Node names it: `linux`, `darwin`, `win32`. */
  readonly platform: NodeJS.Platform;
  /** Whether standard error is a terminal. */
  readonly terminal: boolean;
  /** Version of this program. */
  readonly toolVersion: string;
  /** What starts this program once more; more arguments go behind its own. */
  readonly self: {readonly program: string; readonly args: readonly string[]};
}
