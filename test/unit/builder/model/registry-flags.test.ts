/** Covers how the registries of a builder are written on a command line. */
import {expect} from 'chai';
import {parseRegistries} from '../../../../src/builder/model/registry-flags.ts';
import {refusalOf} from '../../../helpers/caught.ts';

const NONE = {http: [], insecure: [], ca: [], mirror: []};

describe('parseRegistries', () => {
  it('joins what is said of one registry', () => {
    const given = parseRegistries({
      http: ['localhost:5001', '[::1]:5000', 'a.example'],
      insecure: ['a.example'],
      ca: ['b.example:5000=one.pem', 'b.example:5000=a=b.pem'],
      mirror: ['docker.io=a.example', 'docker.io=b.example:5000/hub/docker.io'],
    });
    expect(given).to.deep.equal({
      'localhost:5001': {http: true},
      '[::1]:5000': {http: true},
      'a.example': {http: true, insecure: true},
      'b.example:5000': {caFiles: ['one.pem', 'a=b.pem']},
      'docker.io': {mirrors: ['a.example', 'b.example:5000/hub/docker.io']},
    });
  });

  for (const [flag, text] of [
    ['http', 'http://a.example'],
    ['http', 'a.example/path'],
    ['http', ''],
    ['insecure', '__proto__'],
    ['ca', 'a.example'],
    ['ca', 'a.example='],
    ['ca', '=ca.pem'],
    ['mirror', 'a.example'],
    ['mirror', 'docker.io=https://a.example'],
    ['mirror', 'docker.io=a.example/'],
    ['mirror', 'library/x=a.example'],
  ] as const) {
    it(`rejects --registry-${flag} ${text}`, () =>
      expect(refusalOf(() => parseRegistries({...NONE, [flag]: [text]})).message).to.contain(
        `--registry-${flag}`,
      ));
  }

  it('names --registry-http where another flag has an http:// address', () => {
    const hints = (flag: string, text: string) =>
      refusalOf(() => parseRegistries({...NONE, [flag]: [text]})).remedy.join();
    expect(hints('mirror', 'docker.io=http://a.example')).to.contain('also needs --registry-http');
    expect(hints('http', 'http://a.example')).not.to.contain('also needs');
  });
});
