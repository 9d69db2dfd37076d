/** Owns paths on a node and in a builder's pod, as far as two of them are compared. */

/** `/var/run` is a link to `/run` on nodes and in the builder's image alike. */
export function resolveRunAlias(path: string): string {
  return path.replace(/^\/var\/run(?=\/|$)/, '/run');
}

/** The directory that a file is in. */
export function parentDirectory(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

/** Whether it is in the directory; the directory itself is not. */
export function isInside(path: string, directory: string): boolean {
  return normalizePath(path).startsWith(`${normalizePath(directory)}/`);
}

/** Whether it is the directory, or in it. */
export function isWithin(path: string, directory: string): boolean {
  return `${normalizePath(path)}/`.startsWith(`${normalizePath(directory)}/`);
}

/** Without trailing and double slashes. */
export function normalizePath(path: string): string {
  return resolveRunAlias(path.replace(/\/+/g, '/').replace(/\/$/, ''));
}
