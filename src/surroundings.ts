/** Owns what a command knows about the process that it runs in. */

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** As Node names it: `linux`, `darwin`, `win32`. */
  readonly platform: NodeJS.Platform;
  /** Whether standard error is a terminal. */
  readonly terminal: boolean;
  /** Whether standard output is a terminal. */
  readonly resultTerminal: () => boolean;
  /** Version of this program. */
  readonly toolVersion: string;
  /** How to start this program again; further arguments follow its own. */
  readonly self: {readonly program: string; readonly args: readonly string[]};
}
