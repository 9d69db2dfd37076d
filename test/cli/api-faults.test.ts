/** Covers an API server that fails for a moment, that answers without an end, or at a length that nobody reads. */
import type {ServerResponse} from 'node:http';
import {expect} from 'chai';
import type {Answer} from '../helpers/api/requests.ts';
import {BUILD, describeCommand, expectBuilt, expectRefused, WAYS} from '../helpers/world.ts';

const busy: Answer = {status: 429, body: 'busy', retryAfter: 1};

/** Writes again and again, as soon as it is taken or now and then. */
const endless = (text: string, pause: number): Answer => ({
  status: 200,
  body: '',
  stream: (response: ServerResponse) => {
    const write = () => {
      if (response.destroyed) return;
      const isTaken = response.write(text);
      if (isTaken) setTimeout(write, pause);
      else response.once('drain', write);
    };
    write();
  },
});

describeCommand('an API server that fails for a moment', (world) => {
  for (const way of WAYS) {
    for (const [what, failWith] of [
      ['is busy', busy],
      ['is not available', 503],
      ['closes the connection', 'destroy'],
    ] as const) {
      // Only the gateway's own 503 has no Retry-After, and kubectl gives up then.
      if (way === 'kubectl' && failWith === 503) continue;
      it(`is asked again where it ${what} (${way})`, async () => {
        world.connect({through: way});
        Object.assign(world.api.state, {failWith, failures: 2});
        expectBuilt(await world.tiltbuild(BUILD));
        expect(world.api.state.failures).to.equal(0);
      });
    }
  }

  it('is not asked for ever', async () => {
    world.api.state.failWith = 503;
    expectRefused(world, await world.tiltbuild(['builder', 'ls']), 4, 'the stand-in was told to fail');
    const asked = Map.groupBy(world.api.requests, ({path}) => path);
    for (const [path, requests] of asked) expect(requests, path).to.have.length(4);
  });
});

describeCommand('an API server whose answer', (world) => {
  it('drips is given up after --request-timeout', async () => {
    world.api.state.failWith = endless(' ', 30);
    const ended = await world.tiltbuild(['--request-timeout', '500ms', ...BUILD]);
    expectRefused(world, ended, 4, 'no answer within 0.5 s');
  });

  it('has no end is given up at 64 MB', async () => {
    world.api.state.failWith = endless(' '.repeat(1_000_000), 0);
    expectRefused(world, await world.tiltbuild(BUILD), 4, 'the answer is larger than 64 MB');
  });

  it('says far too much is shown in part', async () => {
    const message = 'no '.repeat(3_000_000);
    world.api.state.failWith = {
      status: 400,
      body: {kind: 'Status', apiVersion: 'v1', status: 'Failure', message},
    };
    const ended = await world.tiltbuild(BUILD);
    expectRefused(world, ended, 4, 'no no no');
    expect(ended.stderr.length).to.be.below(8_000);
  });
});
