/** Owns what in the delegate's words is the builder's fault or the delegate's own, and how it is cured. */

import {createCommand} from '../../builder/model/builder.ts';
import {type Advice, advise} from '../../text/advice.ts';
import {LineSplitter} from '../../text/line-splitter.ts';

export type FaultKind = 'otel-socket' | 'entitlement' | 'bootstrap' | 'no-exporter' | 'panic';

export interface Fault {
  readonly kind: FaultKind;
  /** One sentence. */
  readonly message: string;
  readonly remedy: readonly Advice[];
  /** Whether the same build may well succeed at once. */
  readonly retriable: boolean;
}

export interface FaultPlace {
  readonly builder: string;
  readonly namespace: string;
}

interface FaultRule {
  readonly kind: Exclude<FaultKind, 'panic'>;
  /** Matches the whole error, without `Error: ` before it. */
  readonly pattern: RegExp;
  /** `found` are the groups of the pattern. */
  readonly explain: (found: readonly string[], place: FaultPlace) => Omit<Fault, 'kind'>;
}

/** BuildKit prints a step's command with Go's %q: a quote in it has a backslash, so that its end is where it seems. */
const STEP = String.raw`process "(?:[^"\\]|\\.)*" did not complete successfully: `;
/** Some servers' errors come with their code. */
export const SOLVE = String.raw`failed to solve: (?:rpc error: code = \w+ desc = )?`;

/**
 * Each pattern goes from the beginning of the error on, over nothing that a Dockerfile could have written but what
 * stands in quotes: a build's own failure must not be taken for one of these.
 */
const RULES: readonly FaultRule[] = [
  {
    // recordings/run-fails-on-default-builder.yaml
    kind: 'otel-socket',
    pattern: new RegExp(
      `^(?:${SOLVE})?${STEP}[^"]*: error mounting "[^"]*/otel-grpc\\.sock" to rootfs at "/dev/otel-grpc\\.sock"`,
    ),
    explain: (_, {builder, namespace}) => ({
      message: `The builder "${builder}" cannot run RUN steps, whatever they do: BuildKit's OpenTelemetry socket is in its pod alone, where the node's containerd does not find it.`,
      remedy: ['Replace it by one that can:', createCommand({name: builder, namespace}, '--replace')],
      retriable: false,
    }),
  },
  {
    // recordings/network-host.yaml
    kind: 'entitlement',
    pattern: new RegExp(
      `^${SOLVE}granting entitlement ([\\w.-]+) is not allowed by build daemon configuration$`,
    ),
    explain: ([entitlement = ''], {builder, namespace}) => ({
      message: `The builder "${builder}" does not grant ${entitlement}, which this build asks for.`,
      remedy: [
        entitlement === 'network.host'
          ? advise`Make the builder anew with it: ${createCommand({name: builder, namespace}, '--replace', '--allow', 'network.host')}`
          : `Build without it, or have it in the builder's buildkitd.toml: insecure-entitlements = ["${entitlement}"]`,
      ],
      retriable: false,
    }),
  },
  {
    // recordings/namespace-missing.yaml; the second form is from the plugin's createBuilder.
    kind: 'bootstrap',
    pattern:
      /^(?:timed out trying to bootstrap builder|timed out waiting for builder to become ready)(?:: (.+))?$/,
    explain: ([cause], {builder, namespace}) => ({
      message: `The builder "${builder}" in namespace "${namespace}" did not become ready in time${cause ? `: ${cause}` : '.'}`,
      remedy: ['To see what keeps it:', createCommand({name: builder, namespace})],
      retriable: false,
    }),
  },
  {
    // The plugin looks at the builder's pod for five seconds, and takes no answer for one without a runtime
    // (pkg/driver/kubernetes/driver.go, Features).
    kind: 'no-exporter',
    pattern: /^loading image into cluster runtime not supported by this builder\b/,
    explain: (_, {builder, namespace}) => ({
      message: `kubectl build could not tell which runtime the builder "${builder}" puts images into. Either the API server took more than 5 s to answer, or the builder has none, as a rootless one, which can only push.`,
      remedy: [
        'Try again; if the builder is rootless, use --push. To see what it is:',
        `  kubectl get deployment ${builder} --namespace ${namespace} --show-labels`,
      ],
      retriable: true,
    }),
  },
];

/** A step's command is part of the error, and may be long; memory is bounded all the same. */
const LONGEST_LINE = 65_536;

/** What the delegate said of its failure. */
export interface FailureWords {
  /** The whole error, without `Error: ` before it. */
  readonly error: string;
  /** The step that failed, as BuildKit names it: `[2/2] RUN make`. */
  readonly step?: string;
  /** The first lines of the end of what that step printed; two at most. */
  readonly output: readonly string[];
}

/** Watches the delegate's plain progress as it passes, in chunks as they come. */
export class FaultWatcher {
  readonly #place: FaultPlace;
  readonly #lines = new LineSplitter((line) => this.#observeLine(line.replace(/\r$/, '')), LONGEST_LINE);
  /** By the last error of a step: all there is where the delegate panics instead of giving its own. */
  #inStep: string | undefined;
  #atEnd: string | undefined;
  /** The step that BuildKit repeats before its error, and what it printed. */
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

  /** Once the delegate has failed: what it failed of, where that was not the build. */
  fault(): Fault | undefined {
    this.#lines.end();
    const error = this.#panicked ? this.#inStep : this.#atEnd;
    const found = error === undefined ? undefined : findFault(error, this.#place);
    return found ?? (this.#panicked ? explainPanic(this.#panic ?? '', error !== undefined) : undefined);
  }

  /** Once the delegate has failed: how it said so itself. */
  words(): FailureWords | undefined {
    this.#lines.end();
    const error = this.#panicked ? this.#inStep : this.#atEnd;
    return error === undefined ? undefined : {error, step: this.#step, output: this.#output};
  }

  /** What a RUN step prints stands behind its number and a time, and so begins like none of these. */
  #observeLine(line: string): void {
    const [, step, error] = /^(?:(#\d+ ERROR)|Error): (.*)$/.exec(line) ?? [];
    if (step !== undefined) {
      this.#inStep = error;
    } else if (error !== undefined) {
      this.#atEnd = error;
      // It goes on after what only looked like a panic.
      this.#panicked = false;
    } else if (/^#\d+ /.test(line)) {
      // The delegate's own error is the last that it says.
      this.#atEnd = undefined;
      const [, printed] = /^#\d+ \d+\.\d+ (.*)$/.exec(line) ?? [];
      if (this.#step !== undefined && printed !== undefined && this.#output.length < 2)
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

function findFault(error: string, place: FaultPlace): Fault | undefined {
  for (const {kind, pattern, explain} of RULES) {
    const found = pattern.exec(error);
    if (found) return {kind, ...explain(found.slice(1), place)};
  }
  return undefined;
}

/** It can come in the place of a build's own error, which then stands further up (seen with failing builds). */
function explainPanic(words: string, stepFailed: boolean): Fault {
  return {
    kind: 'panic',
    message: stepFailed
      ? `The build failed, as said above, and then kubectl build crashed (${words}), which changes nothing.`
      : `kubectl build crashed: ${words}`,
    remedy: stepFailed ? [] : ['Try again. If it comes back, the plugin of another version may not have it.'],
    retriable: !stepFailed,
  };
}
