/** Owns reading manifests, indexes and configurations of images, whatever they say (OCI image specification). */
import {asList, asNumber, asObject, asText, asTextFields, type Json} from '../cluster/api/json-values.ts';
import type {Descriptor} from './containerd.ts';

export interface Manifest {
  /** Of an index. */
  readonly manifests: readonly Descriptor[];
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** The digest of a descriptor is empty if it has none: containerd refuses to look for it. */
export function readManifest(bytes: Uint8Array): Manifest {
  const {manifests, config, layers} = parse(bytes);
  return {
    manifests: asList(manifests).map(readDescriptor),
    config: readDescriptor(config),
    layers: asList(layers).map(readDescriptor),
  };
}

export interface ImageConfig {
  /** E.g. `linux/amd64`, without a variant. */
  readonly platform: string;
  /** Of the layers, as they are without compression. */
  readonly diffIds: readonly string[];
}

export function readConfig(bytes: Uint8Array): ImageConfig {
  const {os, architecture, rootfs} = parse(bytes);
  return {
    platform: `${asText(os)}/${asText(architecture)}`,
    diffIds: asList(asObject(rootfs).diff_ids).map(toDigest),
  };
}

function readDescriptor(value: unknown): Descriptor {
  const {mediaType, digest, size, annotations} = asObject(value);
  const bytes = asNumber(size);
  return {
    mediaType: asText(mediaType),
    digest: toDigest(digest),
    size: Number.isSafeInteger(bytes) && bytes > 0 ? BigInt(bytes) : 0n,
    annotations: new Map(Object.entries(asTextFields(annotations))),
  };
}

function toDigest(value: unknown): string {
  const digest = asText(value);
  return /^sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})$/.test(digest) ? digest : '';
}

function parse(bytes: Uint8Array): Json {
  try {
    return asObject(JSON.parse(Buffer.from(bytes).toString()));
  } catch {
    return {};
  }
}
