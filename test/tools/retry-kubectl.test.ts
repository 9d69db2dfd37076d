/** Covers reads through kubectl that are sent again: by a kubectl given here literally, and by what the real one does. */
import {expect} from 'chai';
import {retryKubectl} from '../../src/system/retry-kubectl.ts';

/** How often it runs for these endings, the last of which stays. */
async function countRuns(...endings: readonly string[]) {
  let runs = 0;
  const pauses: number[] = [];
  const run = async () => {
    const stderr = endings[Math.min(runs, endings.length - 1)] as string;
    runs += 1;
    return {exitCode: stderr === '' ? 0 : 1, signal: undefined, stdout: '', stderr};
  };
  const {stderr} = await retryKubectl(run, async (pause) => void pauses.push(pause))(['get']);
  return {stderr, pauses};
}

describe('retryKubectl', () => {
  for (const stderr of [
    'Unable to connect to the server: EOF\n',
    'error: unexpected EOF\n',
    'Unable to connect to the server: read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer\n',
    'Unable to connect to the server: write tcp 127.0.0.1:1->127.0.0.1:2: write: broken pipe\n',
    'Unable to connect to the server: wsarecv: An existing connection was forcibly closed by the remote host.\n',
    'Unable to connect to the server: http2: client connection lost\n',
    'E1125 01:11:19.398124 1 memcache.go:265] "x" err="EOF"\nUnable to connect to the server: EOF\n',
  ]) {
    it(`runs kubectl again, and not for ever, after ${stderr.trim()}`, async () => {
      expect(await countRuns(stderr, '')).to.deep.equal({stderr: '', pauses: [200]});
      expect(await countRuns(stderr)).to.deep.equal({stderr, pauses: [200, 400, 800]});
    });
  }

  for (const stderr of [
    '',
    'Error from server (Forbidden): pods is forbidden\n',
    'The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?\n',
    'the login ended with EOF\nerror: You must be logged in to the server\n',
  ]) {
    it(`runs kubectl once for ${JSON.stringify(stderr)}`, async () => {
      expect(await countRuns(stderr)).to.deep.equal({stderr, pauses: []});
    });
  }
});
