/** Owns what a command line asks for. */
import type {BuilderCommandRequest} from '../../builder/commands/command-request.ts';
import type {DoctorRequest} from '../../doctor/doctor-request.ts';
import type {BuildRequest} from '../../image-build/build-request.ts';
import type {LoginQuestion} from '../../image-build/delegate/lend-login.ts';
import type {Completion} from './complete.ts';
export type Invocation =
  | {readonly kind: 'text'; readonly text: string}
  | {readonly kind: 'version'}
  | {readonly kind: 'completion'; readonly completion: Completion}
  | {
      readonly kind: 'build';
      readonly request: BuildRequest;
      readonly verbose: boolean;
      readonly dryRun: boolean;
    }
  | {readonly kind: 'builder'; readonly request: BuilderCommandRequest}
  | {readonly kind: 'doctor'; readonly request: DoctorRequest}
  | {readonly kind: 'login'; readonly question: LoginQuestion};
