/** Owns what `doctor` is asked to do. */
import type {BuilderName} from '../builder/model/builder.ts';
import type {ConnectionRequest} from '../cluster/connection.ts';
import type {PullSecretChoice} from '../cluster/pull-secret.ts';
import type {EngineName} from '../image-build/build-request.ts';

export interface DoctorRequest {
  readonly form: 'text' | 'json';
  readonly engine: EngineName | 'auto';
  readonly builder: BuilderName;
  readonly pullSecret: PullSecretChoice;
  /** Create or repair the builder. */
  readonly fix: boolean;
  /** Do it without a question. */
  readonly yes: boolean;
  /** How long the checks may take, in milliseconds. */
  readonly limit: number;
  readonly connection: ConnectionRequest;
}
