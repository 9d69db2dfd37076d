/** Owns finding faults of the builder, and of the delegate itself, in the delegate's output. */
import {adviseSnapshotter, createCommand} from '../../builder/model/builder.ts';
import {advise, command, flag} from '../../text/advice.ts';
import {LineSplitter} from '../../text/line-splitter.ts';
import type {Hint} from './failure-scene.ts';

export interface Fault extends Hint {
  /** Whether the same build is likely to succeed if it is run again at once. */
  readonly retriable: boolean;
}

export interface FaultPlace {
  readonly builder: string;
  readonly namespace: string;
}

interface FaultRule {
  /** Matches the whole error, without its `Error: `. */
  readonly pattern: RegExp;
  /** `found` holds the groups of the pattern. */
  readonly explain: (found: readonly string[], place: FaultPlace) => Fault;
}

/** BuildKit prints a step's command with Go's %q, which puts a backslash before every quote in it. */
const STEP = String.raw`process "(?:[^"\\]|\\.)*" did not complete successfully: `;
/** Some servers put a code before the error. */
export const SOLVE = String.raw`failed to solve: (?:rpc error: code = \w+ desc = )?`;

/**
 * Each pattern starts at the beginning of the error and skips no text that a Dockerfile could contain, other than in
 * quotes: the failure of a build must not be mistaken for one of these.
 */
const RULES: readonly FaultRule[] = [
  {
    // recordings/run-fails-on-default-builder.yaml
    pattern: new RegExp(
      `^(?:${SOLVE})?${STEP}[^"]*: error mounting "[^"]*/otel-grpc\\.sock" to rootfs at "/dev/otel-grpc\\.sock"`,
    ),
    explain: (_, {builder, namespace}) => ({
      message: `The builder "${builder}" cannot run RUN steps: BuildKit's OpenTelemetry socket exists only in the builder's pod, where the node's containerd cannot mount it.`,
      remedy: [advise`Replace the builder: ${createCommand({name: builder, namespace}, '--replace')}`],
      retriable: false,
    }),
  },
  {
    // recordings/network-host.yaml
    pattern: new RegExp(
      `^${SOLVE}granting entitlement ([\\w.-]+) is not allowed by build daemon configuration$`,
    ),
    explain: ([entitlement = ''], {builder, namespace}) => ({
      message: `The builder "${builder}" does not allow ${entitlement}, which this build requires.`,
      remedy: [
        entitlement === 'network.host'
          ? advise`Recreate the builder with it: ${createCommand({name: builder, namespace}, '--replace', '--allow', entitlement)}`
          : `Build without it, or add it to the builder's buildkitd.toml: insecure-entitlements = ["${entitlement}"]`,
      ],
      retriable: false,
    }),
  },
  {
    // containerd's client, where the server has no such plugin.
    pattern: /^(?:failed to solve: )?(?:[^"]*: )?snapshotter not loaded: ([\w.-]+)(?:: invalid argument)?$/,
    explain: ([snapshotter = ''], {builder, namespace}) => ({
      message: `containerd on the node of the builder "${builder}" has no snapshotter "${snapshotter}", which the builder uses.`,
      remedy: adviseSnapshotter({name: builder, namespace}),
      retriable: false,
    }),
  },
  {
    // recordings/namespace-missing.yaml; the second form is from the plugin's createBuilder.
    pattern:
      /^(?:timed out trying to bootstrap builder|timed out waiting for builder to become ready)(?:: (.+))?$/,
    explain: ([cause], {builder, namespace}) => ({
      message: `The builder "${builder}" in namespace "${namespace}" did not become ready in time${cause ? `: ${cause}` : '.'}`,
      remedy: [advise`Find out why: ${createCommand({name: builder, namespace})}`],
      retriable: false,
    }),
  },
  {
    // The plugin asks for the builder's pod for five seconds, and without an answer assumes that it has no runtime
    // (pkg/driver/kubernetes/driver.go, Features).
    pattern: /^loading image into cluster runtime not supported by this builder\b/,
    explain: (_, {builder, namespace}) => ({
      message: `kubectl build could not find the runtime that the builder "${builder}" loads images into. Either the API server took more than 5 s to answer, or the builder is rootless and can only push.`,
      remedy: [
        advise`Try again. If the builder is rootless, use ${flag('push')}.`,
        advise`Check the builder's labels: ${command('kubectl', 'get', 'deployment', builder, '--namespace', namespace, '--show-labels')}`,
      ],
      retriable: true,
    }),
  },
];

/** Enough for an error that includes a long command, and a bound on memory. */
const LONGEST_LINE = 65_536;
/** BuildKit repeats fewer lines. */
const MOST_OUTPUT = 40;

/** The delegate's own report of a failure. */
export interface FailureWords {
  /** The whole error, without its `Error: `. */
  readonly error: string;
  /** The step that failed, as BuildKit names it: `[2/2] RUN make`. */
  readonly step?: string;
  /** The end of that step's output, as BuildKit repeats it. */
  readonly output: readonly string[];
}

/** Watches the delegate's plain progress, in chunks of any size. */
export class FaultWatcher {
  readonly #place: FaultPlace;
  readonly #lines = new LineSplitter((line) => this.#observeLine(line.replace(/\r$/, '')), LONGEST_LINE);
  /** The last error of a step: the only one if the delegate panics before it prints its own. */
  #inStep: string | undefined;
  #atEnd: string | undefined;
  /** The step that BuildKit repeats before its error, and that step's output. */
  #step: string | undefined;
  #output: string[] = [];
  #panic: string | undefined;
  #panicked = false;

  constructor(place: FaultPlace) {
    this.#place = place;
  }

  observe(chunk: Uint8Array): void {
    this.#lines.observe(chunk);
  }

  /** After a failure: its cause, unless that is the build itself. */
  fault(): Fault | undefined {
    this.#lines.end();
    const error = this.#panicked ? this.#inStep : this.#atEnd;
    const found = error === undefined ? undefined : findFault(error, this.#place);
    return found ?? (this.#panicked ? explainPanic(this.#panic ?? '', error !== undefined) : undefined);
  }

  /** After a failure: the delegate's own report. */
  words(): FailureWords | undefined {
    this.#lines.end();
    const error = this.#panicked ? this.#inStep : this.#atEnd;
    return error === undefined ? undefined : {error, step: this.#step, output: this.#output};
  }

  /** The output of a RUN step has a number and a time before it, so it cannot look like any of these. */
  #observeLine(line: string): void {
    // Where the registry answered 401, the plugin puts its note on the pull secret before the error, empty or not.
    const [, step, error] = /^(?:(#\d+ ERROR)|Error(?:: (?=: failed to solve: ))?): (.*)$/.exec(line) ?? [];
    if (step !== undefined) {
      this.#inStep = error;
    } else if (error !== undefined) {
      this.#atEnd = error;
      // What looked like a panic was none, as the delegate goes on.
      this.#panicked = false;
    } else if (/^#\d+ /.test(line)) {
      // The delegate's own error is the last line it prints.
      this.#atEnd = undefined;
      const [, printed] = /^#\d+ \d+\.\d+ (.*)$/.exec(line) ?? [];
      if (this.#step !== undefined && printed !== undefined && this.#output.length < MOST_OUTPUT)
        this.#output.push(printed);
    } else if (/^ > .*:$/.test(line)) {
      this.#step = line.slice(' > '.length, -1);
      this.#output = [];
    } else if (/^(panic|fatal error): /.test(line)) {
      this.#panic = line;
    } else if (this.#panic !== undefined && /^goroutine \d+ /.test(line)) {
      this.#panicked = true;
    }
  }
}

export function findFault(error: string, place: FaultPlace): Fault | undefined {
  for (const {pattern, explain} of RULES) {
    const found = pattern.exec(error);
    if (found) return explain(found.slice(1), place);
  }
  return undefined;
}

/** A panic can replace the error of a failed build, which is then further up (seen with failing builds). */
function explainPanic(words: string, stepFailed: boolean): Fault {
  return {
    message: stepFailed
      ? `A step failed, as shown above, and then kubectl build itself crashed (${words}).`
      : `kubectl build crashed: ${words}`,
    remedy: stepFailed ? [] : ['Try again. If it keeps crashing, try another version of the plugin.'],
    retriable: !stepFailed,
  };
}
