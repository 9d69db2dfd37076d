/** Owns comparing paths on a node and in a builder's pod. */

/** `/var/run` is a link to `/run`, on nodes and in the builder's image. */
export function resolveRunAlias(path: string): string {
  return path.replace(/^\/var\/run(?=\/|$)/, '/run');
}

/** The directory that holds a file. */
export function parentDirectory(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

/** Whether the path is inside the directory; the directory itself is not. */
export function isInside(path: string, directory: string): boolean {
  return isWithin(path, directory) && normalizePath(path) !== normalizePath(directory);
}

/** Whether the path is the directory or inside it. */
export function isWithin(path: string, directory: string): boolean {
  return `${normalizePath(path)}/`.startsWith(`${normalizePath(directory)}/`);
}

/** Without trailing and double slashes. */
export function normalizePath(path: string): string {
  return resolveRunAlias(path.replace(/\/+/g, '/').replace(/\/$/, ''));
}
