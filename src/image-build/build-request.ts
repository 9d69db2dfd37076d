/** Owns the request for one build: a plain, frozen value that everything behind the command line reads. */
import type {BuilderName} from '../builder/model/builder.ts';
import type {BuilderPolicy} from '../builder/model/request.ts';
import type {ConnectionRequest} from '../cluster/connection.ts';
import type {PullSecretChoice} from '../cluster/pull-secret.ts';
import type {ContentTagForm} from '../image/content-tag.ts';
import type {ParsedTag} from '../image/qualification.ts';
import type {ImageReference} from '../image/reference.ts';
import type {Destination, Output} from './inputs/outputs.ts';

/** What a build prints on standard output. */
export type PrintForm = 'digest' | 'ref' | 'json' | 'none';

/** How the layers are stored in the node; `default` leaves the export to kubectl build. */
export type Compression = 'uncompressed' | 'gzip' | 'zstd' | 'estargz' | 'default';

/** What a node means that cannot get the image: a note, or an error; or no node gets it. */
export type Spread = 'auto' | 'strict' | 'none';

/** What builds: the plugin `kubectl build`, or our own BuildKit client. */
export type EngineName = 'kubectl-build' | 'builtin';

export interface BuildRequest {
  /** PATH, URL or `-`, as typed. */
  readonly context: string;
  readonly tags: readonly ParsedTag[];
  /** The image that gets a tag made from its digest; undefined without `--image`. */
  readonly contentName?: ContentName;
  /** `--file` as typed. */
  readonly file?: string;
  /** `--file-env`: the environment variable that holds the Dockerfile. */
  readonly fileVariable?: string;
  /** `--base-image`: what is built too, and the environment variables that hold the references. */
  readonly baseImages: readonly BaseImage[];
  /** `--find-base-image`; without any, it is a build. */
  readonly findBaseImages: readonly string[];
  /** `--ignore` and `--only` as typed. */
  readonly ignore: readonly string[];
  readonly only: readonly string[];
  /** `--platform` as typed, or DOCKER_DEFAULT_PLATFORM; empty where there is none. */
  readonly platforms: readonly string[];
  /** `--secret` as typed. */
  readonly secrets: readonly string[];
  /** `--output`; undefined where it was not given. */
  readonly output?: Output;
  readonly push: boolean;
  readonly destination: Destination;
  /** Only checks the Dockerfile. */
  readonly check: boolean;
  /** `--compression`; undefined for the default of each destination. */
  readonly compression?: Compression;
  readonly progress?: string;
  /** Build flags for kubectl build as they are, each with its values, in the order of the help. */
  readonly passedFlags: readonly (readonly string[])[];
  /** Words after `--`; a flag that we know stands with its value. */
  readonly passthrough: readonly (readonly string[])[];

  readonly engine: EngineName | 'auto';
  readonly builder: BuilderName;
  readonly builderOptions: BuilderOptions;
  /** The longest that the whole run may take, in milliseconds; undefined for no limit. */
  readonly timeout?: number;
  readonly pullSecret: PullSecretChoice;
  readonly qualify: boolean;
  /** Whether a build into the nodes of k3d is tried. */
  readonly allowK3d: boolean;
  /** Tilt's EXPECTED_REF. */
  readonly expectedRef?: string;

  readonly print: PrintForm;
  /** How many images with tags made from digests stay in the node; 0 for all. */
  readonly keepImages: number;
  readonly spread: Spread;
  readonly iidFile?: string;
  readonly metadataFile?: string;
  readonly quiet: boolean;

  readonly connection: ConnectionRequest;
}

export interface BaseImage {
  /** As a Dockerfile may name it. */
  readonly name: string;
  readonly variable: string;
}

/** An image name without a tag, and the form of its tag. */
export interface ContentName {
  /** As in the reference file and the result. */
  readonly name: string;
  readonly reference: ImageReference;
  readonly tagForm: ContentTagForm;
  /** `--ref-file` */
  readonly file?: string;
}

/** How a builder is created, and what a build may do about one. */
export interface BuilderOptions {
  readonly policy: BuilderPolicy;
  /** How long it may take to start, in milliseconds. */
  readonly timeout: number;
  readonly image?: string;
  /** Undefined for what suits the kind of cluster. */
  readonly replicas?: number | 'nodes' | undefined;
  /** Whether this build needs the entitlement network.host. */
  readonly allowNetworkHost: boolean;
}
