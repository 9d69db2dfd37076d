/** Owns what one build was asked to do: a plain, frozen value that everything behind the command line reads. */
import type {BuilderName} from '../builder/model/builder.ts';
import type {BuilderPolicy} from '../builder/verdict/decision.ts';
import type {ConnectionRequest} from '../cluster/connection.ts';
import type {PullSecretChoice} from '../cluster/pull-secret.ts';
import type {ContentTagForm} from '../image/content-tag.ts';
import type {ParsedTag} from '../image/qualification.ts';
import type {ImageReference} from '../image/reference.ts';
import type {Destination} from './inputs/outputs.ts';

/** What is printed on standard output after a build. */
export type PrintForm = 'digest' | 'ref' | 'json' | 'none';

/** How the layers are stored in the node; `default` leaves the export to kubectl build. */
export type Compression = 'uncompressed' | 'gzip' | 'zstd' | 'estargz' | 'default';

export interface BuildRequest {
  /** PATH, URL or `-`, as typed. */
  readonly context: string;
  readonly tags: readonly ParsedTag[];
  /** The image that gets a tag made from its digest; undefined where none is asked for. */
  readonly contentName?: ContentName;
  /** `--file` as typed. */
  readonly file?: string;
  /** `--file-env`: the environment variable that holds the Dockerfile. */
  readonly fileVariable?: string;
  /** `--ignore` and `--only` as typed. */
  readonly ignore: readonly string[];
  readonly only: readonly string[];
  /** `--platform` as typed, or DOCKER_DEFAULT_PLATFORM; empty where there is none. */
  readonly platforms: readonly string[];
  /** `--secret` as typed. */
  readonly secrets: readonly string[];
  /** `--output` as typed. */
  readonly outputs: readonly string[];
  readonly push: boolean;
  readonly destination: Destination;
  /** As chosen; undefined where it was left to us. */
  readonly compression?: Compression;
  readonly progress?: string;
  /** Build flags that go to the delegate as they are, each with its values, in the order of `cli/flags.ts`. */
  readonly passedFlags: readonly (readonly string[])[];
  /** What came after `--`. */
  readonly passthrough: readonly string[];

  readonly builder: BuilderName;
  readonly builderOptions: BuilderOptions;
  /** How long all of it may take, in milliseconds; undefined for no limit. */
  readonly timeout?: number;
  readonly pullSecret: PullSecretChoice;
  readonly qualify: boolean;
  /** Tilt's EXPECTED_REF. */
  readonly expectedRef?: string;

  readonly print: PrintForm;
  readonly iidFile?: string;
  readonly metadataFile?: string;
  readonly quiet: boolean;

  readonly connection: ConnectionRequest;
}

/** A name without a tag, and how its tag is made. */
export interface ContentName {
  /** As the reference file and the result have it. */
  readonly name: string;
  readonly reference: ImageReference;
  readonly tagForm: ContentTagForm;
  /** `--ref-file` */
  readonly file?: string;
}

/** How the builder is to be, where one is made, and what may be done about it. */
export interface BuilderOptions {
  readonly policy: BuilderPolicy;
  /** How long it may take to start, in milliseconds. */
  readonly timeout: number;
  readonly image?: string;
  readonly replicas: number | 'nodes';
  /** Whether this build needs the entitlement network.host. */
  readonly allowNetworkHost: boolean;
}
