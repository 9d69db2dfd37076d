/** Owns reading what a buildkitd was told by its flags and by its buildkitd.toml. A flag wins (buildkitd's applyMainFlags). */
import {parse} from 'smol-toml';
import {asObject, asText} from '../../cluster/api/json-values.ts';

/** Where buildkitd and the plugin find containerd by default. */
const STANDARD_CONTAINERD = '/run/containerd/containerd.sock';

/** The flag's last value, in both of its forms, also in the command line of a shell. */
export function readFlag(args: readonly string[], name: string): string | undefined {
  const pattern = new RegExp(`(?:^|\\s)--?${name}(?:=|\\s+(?!-))["']?([^\\s"']+)`, 'g');
  return [...args.join(' ').matchAll(pattern)].at(-1)?.[1];
}

/** The socket that it creates for traces; undefined for its default. */
export function readOtelSocket(args: readonly string[], toml: string): string | undefined {
  return (
    readFlag(args, 'otel-socket-path') ?? (asText(asObject(readToml(toml).otel).socketPath) || undefined)
  );
}

/** The socket of the containerd that it works with. */
export function readContainerdSocket(args: readonly string[], toml: string): string {
  const {address} = asObject(asObject(readToml(toml).worker).containerd);
  return readFlag(args, 'containerd-worker-addr') ?? (asText(address) || STANDARD_CONTAINERD);
}

/** That of the images in its containerd; undefined for containerd's own default. */
export function readSnapshotter(args: readonly string[], toml: string): string | undefined {
  const {snapshotter} = asObject(asObject(readToml(toml).worker).containerd);
  return readFlag(args, 'containerd-worker-snapshotter') ?? (asText(snapshotter) || undefined);
}

/** The directory of its state; undefined where its toml names none. */
export function readRoot(toml: string): string | undefined {
  return asText(readToml(toml).root) || undefined;
}

/** Its `[registry."HOST"]` tables, by host. */
export function readRegistries(toml: string): Readonly<Record<string, unknown>> {
  return asObject(readToml(toml).registry);
}

/** Whether it has settings for that registry, whatever they are. */
export function hasRegistry(toml: string, host: string): boolean {
  return Object.hasOwn(readRegistries(toml), host);
}

/** What is not TOML has no settings: buildkitd does not start with it. */
function readToml(text: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text);
  } catch {
    return {};
  }
}
