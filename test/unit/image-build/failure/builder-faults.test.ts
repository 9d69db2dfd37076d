/** Covers which faults are found in the delegate's output, however it arrives, and that the failure of a build is none. */
import {expect} from 'chai';
import fc from 'fast-check';
import {type Fault, FaultWatcher} from '../../../../src/image-build/failure/builder-faults.ts';
import {formatAdvice} from '../../../../src/text/advice.ts';
import {anyChunks, observeEndlessLine, recorded} from './known-failures.ts';

function watch(...chunks: readonly (string | Uint8Array)[]): Fault | undefined {
  const watcher = new FaultWatcher({builder: 'b', namespace: 'ns'});
  for (const chunk of chunks) watcher.observe(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return watcher.fault();
}

/** As Go's %q writes it, as far as it matters here. */
const quoted = (text: string) => JSON.stringify(text);

/** What BuildKit says of a step that fails of its own. */
const failedStep = (command: string) =>
  `process ${quoted(`/bin/sh -c ${command}`)} did not complete successfully: exit code: 1`;

/** A step's error, and the delegate's own at its end. */
const failed = (error: string) => `#3 ERROR: ${error}\nError: failed to solve: ${error}\n`;
/** What a step prints. */
const outputOf = (texts: readonly string[]) =>
  texts
    .flatMap((text) => text.split('\n'))
    .map((line) => `#3 0.123 ${line}\n`)
    .join('');

const OTEL =
  'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error mounting "/run/buildkit/otel-grpc.sock" to rootfs at "/dev/otel-grpc.sock": stat /run/buildkit/otel-grpc.sock: no such file or directory';
const OTEL_ERROR = `process "/bin/sh -c x" did not complete successfully: ${OTEL}`;
const NETWORK = 'granting entitlement network.host is not allowed by build daemon configuration';
const BOOTSTRAP = 'timed out trying to bootstrap builder: namespaces "nope" not found';
const NO_EXPORTER =
  'loading image into cluster runtime not supported by this builder, please specify --push or a client local output: --output=type=local,dest=. --output=type=tar,dest=out.tar ';
const PANIC =
  'panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1]\n\ngoroutine 41 [running]:\nmain.main()\n';

/** What the message says, and the output that ends with it. */
const FAULTS = {
  otel: [/OpenTelemetry/, `Error: failed to solve: ${OTEL_ERROR}\n`],
  entitlement: [/network\.host/, `Error: failed to solve: ${NETWORK}\n`],
  bootstrap: [/did not become ready/, `Error: ${BOOTSTRAP}\n`],
  'no-exporter': [/runtime/, `Error: ${NO_EXPORTER}\n`],
  panic: [/^kubectl build crashed: panic: runtime error/, PANIC],
} as const satisfies Record<string, readonly [RegExp, string]>;

describe('FaultWatcher', () => {
  it('finds the fault in the recording namespace-missing', () => {
    expect(watch(recorded('namespace-missing'))?.message).to.match(FAULTS.bootstrap[0]);
  });

  for (const name of ['context-unknown', 'sigint', 'build', 'first-build-no-builder']) {
    it(`finds none in the recording ${name}`, () => expect(watch(recorded(name))).to.equal(undefined));
  }

  for (const [name, [message, output]] of Object.entries(FAULTS)) {
    it(`describes ${name} in one line, with or without a line's end, and with that of Windows`, () => {
      const fault = watch(`#1 DONE 0.0s\n${output}`);
      expect(fault?.retriable).to.equal(name === 'no-exporter' || name === 'panic');
      expect(fault?.message)
        .to.match(message)
        .and.match(/^[A-Zk][^\n]+$/);
      expect(watch(output.trimEnd())).to.deep.equal(fault);
      expect(watch(output.replaceAll('\n', '\r\n'))).to.deep.equal(fault);
    });
  }

  const CREATE = 'kubectl tiltbuild builder create b';
  for (const [error, fix] of [
    [`failed to solve: rpc error: code = Unknown desc = ${OTEL_ERROR}`, `${CREATE} --replace --namespace ns`],
    [`failed to solve: ${NETWORK.replace('network.host', 'security.insecure')}`, '["security.insecure"]'],
    ['timed out waiting for builder to become ready', `${CREATE} --namespace ns`],
  ] as const) {
    it(`proposes ${fix} for ${error.slice(0, 60)}…`, () => {
      const remedy = watch(`Error: ${error}`)?.remedy ?? [];
      expect(remedy.map((advice) => formatAdvice(advice)).join('\n')).to.contain(fix);
    });
  }

  it('finds a fault behind a long command', () => {
    const long = `process ${quoted('x'.repeat(20_000))} did not complete successfully: ${OTEL}`;
    expect(watch(failed(long))?.message).to.match(FAULTS.otel[0]);
  });

  it('keeps no more of an endless line than it needs', () => {
    const watcher = new FaultWatcher({builder: 'b', namespace: 'ns'});
    observeEndlessLine(watcher);
    watcher.observe(Buffer.from(`\nError: ${BOOTSTRAP}`));
    expect(watcher.fault()?.message).to.match(FAULTS.bootstrap[0]);
  });

  describe('in a panic', () => {
    it("names the build's own failure, which is further up", () => {
      const fault = watch(`#3 ERROR: ${failedStep('exit 1')}\n${PANIC}`);
      expect(fault).to.deep.include({remedy: [], retriable: false});
      expect(fault?.message).to.match(
        /^A step failed, as shown above, and then kubectl build itself crashed/,
      );
    });

    it("finds the builder's fault that is further up", () => {
      expect(watch(`#3 ERROR: ${OTEL_ERROR}\n${PANIC}`)?.message).to.match(FAULTS.otel[0]);
    });

    for (const [what, words] of [
      ['the word alone', 'panic: x\n'],
      ['goroutines alone', 'goroutine 1 [running]:\n'],
      ['a panic that the delegate survives', `${PANIC}Error: failed to solve: ${failedStep('x')}\n`],
      ['a panic in a step', PANIC.replace(/^/gm, '#3 0.100 ')],
    ] as const) {
      it(`is not assumed for ${what}`, () => expect(watch(words)).to.equal(undefined));
    }
  });

  it('goes by the last error', () => {
    const own = `Error: failed to solve: ${failedStep('x')}\n`;
    const [message, otel] = FAULTS.otel;
    expect(watch(otel + own)).to.equal(undefined);
    expect(watch(`${otel}#4 DONE 0.1s\n`)).to.equal(undefined);
    expect(watch(own + otel)?.message).to.match(message);
  });
});

/** Text that a Dockerfile or a program in it may print, some of it meant to deceive. */
const outputs = Object.values(FAULTS).map(([, output]) => output);
const deceptive = fc.constantFrom(...outputs, OTEL_ERROR, OTEL, NETWORK, BOOTSTRAP);
const printed = fc.array(fc.oneof(deceptive, fc.string({unit: 'binary'})), {maxLength: 6});

describe('FaultWatcher, for anything', () => {
  for (const [name, [message, output]] of Object.entries(FAULTS)) {
    it(`finds ${name} in any chunks`, () => {
      const bytes = Buffer.from(`${recorded('run-fails').split('Error:')[0]}#4 [1/1] RÜN ü\n${output}`);
      const whole = watch(bytes);
      expect(whole?.message).to.match(name === 'panic' ? /^A step failed/ : message);
      fc.assert(
        fc.property(anyChunks(bytes), (chunks) => {
          expect(watch(...chunks)).to.deep.equal(whole);
        }),
      );
    });
  }

  it("takes nothing for a fault that a step prints, or that a failing step's command has", () => {
    const [head] = recorded('run-fails').split('#3 ERROR');
    fc.assert(
      fc.property(printed, (texts) => {
        const output = `${head}${outputOf(texts)}`;
        expect(watch(output)).to.equal(undefined);
        expect(watch(output, failed(failedStep('x')))).to.equal(undefined);
        expect(watch(failed(failedStep(texts.join('; '))))).to.equal(undefined);
      }),
    );
  });

  it('takes no command that cannot be started for a fault', () => {
    fc.assert(
      fc.property(printed, (texts) => {
        const command = quoted(texts.join(' '));
        const start = `failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: ${command}: executable file not found in $PATH`;
        expect(watch(failed(`process ${command} did not complete successfully: ${start}`))).to.equal(
          undefined,
        );
      }),
    );
  });

  for (const [what, line] of [
    ['a line of the Dockerfile', `dockerfile parse error on line 3: unknown instruction: ${NETWORK}`],
    ['a file that is missing', `failed to calculate checksum of ref x::y: "/${NETWORK}": not found`],
    [
      'a file that is missing and named as an error',
      `failed to calculate checksum of ref x::y: ${quoted(`/${OTEL_ERROR}`)}: not found`,
    ],
    ['a base image', `failed to resolve source metadata for docker.io/library/x: ${BOOTSTRAP}`],
    [
      'another entitlement error',
      'granting entitlement network.host is not allowed by build daemon configuration, says the Dockerfile',
    ],
    ['another socket', OTEL_ERROR.replaceAll('otel-grpc', 'other')],
  ] as const) {
    it(`does not take ${what} for a fault`, () => expect(watch(failed(line))).to.equal(undefined));
  }
});
