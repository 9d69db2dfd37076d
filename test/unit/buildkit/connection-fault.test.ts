/** Covers what is wrong with a connection to BuildKit that does not come about, by what runtimes and kubectl say. */
import {expect} from 'chai';
import {findConnectionFault} from '../../../src/buildkit/connection-fault.ts';
import {GrpcCode, GrpcError, toGrpcError} from '../../../src/wire/grpc/status.ts';
import {Http2Error, violation} from '../../../src/wire/http2/errors.ts';

const LOST = toGrpcError(new Http2Error('the connection ended'));
const FOREIGN = toGrpcError(violation('no HTTP/2'));

const find = (error: GrpcError, end: {failure?: string; stderr?: string}) =>
  findConnectionFault(error, {
    ended: Promise.resolve({exitCode: undefined, failure: undefined, stderr: '', ...end}),
  });

describe('a connection that fails', () => {
  const runc = 'unable to start container process: exec: "buildctl": executable file not found in $PATH';
  const forbidden =
    'Error from server (Forbidden): pods "b" is forbidden: User "u" cannot create resource "pods/exec"';
  for (const [kind, error, end, words] of [
    [
      'no-buildctl',
      LOST,
      {failure: `failed to exec in container: ${runc}: unknown`},
      `failed to exec in container: ${runc}: unknown`,
    ],
    ['no-buildctl', LOST, {stderr: `${runc}\ncommand terminated with exit code 126\n`}, runc],
    [
      'no-buildctl',
      LOST,
      {stderr: 'executable file `buildctl` not found in $PATH: No such file'},
      'executable file `buildctl` not found in $PATH: No such file',
    ],
    [
      'no-buildctl',
      LOST,
      {stderr: 'exec: "buildctl": stat buildctl: no such file or directory'},
      'exec: "buildctl": stat buildctl: no such file or directory',
    ],
    ['forbidden', LOST, {stderr: `${forbidden}\n`}, forbidden],
    ['foreign', FOREIGN, {}, 'no HTTP/2'],
    ['lost', LOST, {stderr: 'error: no such socket.\n'}, 'error: no such socket'],
    [
      'lost',
      LOST,
      {stderr: 'open /run/buildctl.sock: no such file or directory'},
      'open /run/buildctl.sock: no such file or directory',
    ],
    ['lost', LOST, {failure: 'the connection to the pod was cut'}, 'the connection to the pod was cut'],
    ['lost', LOST, {}, 'the connection ended'],
  ] as const) {
    it(`is ${kind}: ${words}`, async () => {
      expect(await find(error, end)).to.deep.equal({kind, words});
    });
  }

  it("is none where the error is BuildKit's own, or that of one call", async () => {
    for (const error of [
      new GrpcError(GrpcCode.UNKNOWN, 'failed to solve'),
      toGrpcError(new Http2Error('data where none may come', violation('').code, {stream: 1})),
    ])
      expect(await find(error, {})).to.equal(undefined);
  });
});
