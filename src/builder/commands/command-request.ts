/** Owns what a `builder` command is asked to do. */
import type {ConnectionRequest} from '../../cluster/connection.ts';
import type {GivenSettings} from '../model/kept-settings.ts';
import type {GivenRegistry} from '../model/registry-flags.ts';

export type BuilderAction =
  | {readonly kind: 'ls'; readonly form: 'table' | 'json'}
  | {
      readonly kind: 'create';
      readonly name: string;
      readonly given: GivenSettings;
      /** By host; added to those that the builder has. */
      readonly registries: Readonly<Record<string, GivenRegistry>>;
      /** Path of a buildkitd.toml; empty for none, undefined for the one that the builder has. */
      readonly configFile?: string;
      /** Drop the registries that the builder has. */
      readonly resetRegistries: boolean;
      /** How long it may take to start, in milliseconds. */
      readonly timeout: number;
      readonly replace: boolean;
      /** Replace it without the settings that it has. */
      readonly reset: boolean;
      /** Replace it even if a build is running on it. */
      readonly force: boolean;
      readonly allowK3d: boolean;
      readonly dryRun: boolean;
      /** Print what users need permission for, and nothing else. */
      readonly printRbac: boolean;
    }
  | {
      readonly kind: 'rm';
      readonly name: string;
      readonly yes: boolean;
      /** Remove it even if a build is running on it. */
      readonly force: boolean;
      /** Create it for this if it is gone, to remove what it left. */
      readonly purge: boolean;
      /** How long that may take, in milliseconds. */
      readonly timeout: number;
    }
  | {readonly kind: 'logs'; readonly name: string; readonly follow: boolean}
  | {readonly kind: 'du'; readonly name: string}
  | {readonly kind: 'images'; readonly name: string; readonly form: 'table' | 'json'}
  | {
      readonly kind: 'images rm';
      readonly name: string;
      /** Names or digests, as typed. */
      readonly images: readonly string[];
      readonly force: boolean;
    }
  | {
      readonly kind: 'images prune';
      readonly name: string;
      /** Of each name and build context. */
      readonly keep: number;
      /** In milliseconds. */
      readonly olderThan?: number;
      readonly allProjects: boolean;
      readonly dryRun: boolean;
    }
  | {readonly kind: 'prune'; readonly name: string; readonly all: boolean};

export type BuilderActionOf<Kind extends BuilderAction['kind']> = Extract<BuilderAction, {kind: Kind}>;

export interface BuilderCommandRequest {
  readonly action: BuilderAction;
  readonly connection: ConnectionRequest;
}
