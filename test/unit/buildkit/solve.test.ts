/** Covers the end of a solve. */
import {expect} from 'chai';
import {solve} from '../../../src/buildkit/solve.ts';
import {Http2Connection} from '../../../src/wire/http2/connection.ts';
import {BuildkitStandIn} from '../../helpers/buildkit-stand-in.ts';
import {catchError} from '../../helpers/caught.ts';

describe('a solve', () => {
  it('ends where BuildKit refuses it before it begins, and leaves its progress open', async () => {
    const connection = new Http2Connection(new BuildkitStandIn('').connect(), 'client');
    const build = {
      ...{ref: '0'.repeat(25), session: '1'.repeat(25), attributes: new Map(), exporters: []},
      ...{cacheExports: [], cacheImports: [], entitlements: ['security.insecure']},
    };
    const watch = {onStatus: () => undefined, signal: new AbortController().signal};
    const error = await catchError(solve(connection, build, watch));
    expect(error.message).to.contain('granting entitlement security.insecure is not allowed');
    connection.destroy();
  });
});
