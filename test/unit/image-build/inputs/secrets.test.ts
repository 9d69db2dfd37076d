/** Covers `--secret`: docker's rules, and that no error repeats the value. */
import {expect} from 'chai';
import {TiltbuildError} from '../../../../src/errors.ts';
import {
  placeSecrets,
  readBuildSecret,
  type SecretSources,
  secretFileSpec,
} from '../../../../src/image-build/inputs/secrets.ts';

const SOURCES: SecretSources = {
  env: {TOKEN: 'from the variable', EMPTY: '', npm: 'from npm', both: 'variable wins'},
  exists: (path) => ['file', 'a,b', 'dir/f', 'both', 'TOKEN2'].includes(path),
};

const verbatim = (spec: string) => ({kind: 'verbatim', spec}) as const;
const environment = (id: string, value: string) => ({kind: 'environment', id, value}) as const;

function refusal(spec: string): TiltbuildError {
  try {
    readBuildSecret(spec, SOURCES);
  } catch (error) {
    expect(error).to.be.instanceOf(TiltbuildError);
    return error as TiltbuildError;
  }
  throw new Error(`not refused: ${spec}`);
}

describe('readBuildSecret', () => {
  for (const [spec, secret] of [
    ['id=a,src=file', verbatim('id=a,src=file')],
    ['id=a,source=dir/f', verbatim('id=a,source=dir/f')],
    ['ID=a,SRC=file', verbatim('ID=a,SRC=file')],
    ['src=file,id=a', verbatim('src=file,id=a')],
    ['type=file,id=a,src=file', verbatim('type=file,id=a,src=file')],
    ['id=a,"src=a,b"', verbatim('id=a,"src=a,b"')],
    ['id=a,env=TOKEN', environment('a', 'from the variable')],
    ['id=a,env=EMPTY', environment('a', '')],
    ['id=a,src=file,env=TOKEN', environment('a', 'from the variable')],
    ['type=env,id=a,src=TOKEN', environment('a', 'from the variable')],
    ['type=env,id=npm', environment('npm', 'from npm')],
    ['id=npm', environment('npm', 'from npm')],
    ['id=both', environment('both', 'variable wins')],
    ['id=file', verbatim('id=file,src=file')],
    ['"id=a,b"', verbatim('"id=a,b","src=a,b"')],
    // As with docker, an empty source is none.
    ['id=npm,src=', environment('npm', 'from npm')],
    ['id=npm,env=', environment('npm', 'from npm')],
    // kubectl build refuses env= even where it is empty.
    ['id=a,src=file,env=', verbatim('id=a,src=file')],
    ['type=env,id=npm,src=', environment('npm', 'from npm')],
  ] as const) {
    it(`reads ${spec}`, () => expect(readBuildSecret(spec, SOURCES)).to.deep.equal(secret));
  }

  for (const [spec, message] of [
    ['id=a,env=UNSET', 'id=a: the environment variable UNSET is not set'],
    ['type=env,id=a', 'id=a: the environment variable a is not set'],
    ['id=a,src=nowhere', 'id=a: there is no file "nowhere"'],
    ['id=nothing', 'no environment variable and no file named "nothing"'],
  ] as const) {
    it(`reports the missing source of ${spec}`, () => {
      const error = refusal(spec);
      expect(error.code).to.equal('build-secret-missing');
      expect(error.message).to.include(message);
      expect(error.remedy).not.to.have.length(0);
    });
  }

  for (const [spec, reason] of [
    ['', 'expected key=value pairs'],
    ['hunter2', 'expected key=value pairs'],
    ['id=a,hunter2', 'expected key=value pairs'],
    ['id=,src=file', 'id= is missing'],
    ['src=hunter2', 'id= is missing'],
    ['id=a,value=hunter2', 'unknown key'],
    ['hunter2=a,id=a', 'unknown key'],
    ['id=a,type=hunter2', 'type= must be file or env'],
    ['id=a,"src=hunter2', 'unbalanced quotes'],
    ['id=hunter2,src="file"', 'unbalanced quotes'],
  ] as const) {
    it(`refuses ${spec || 'nothing at all'} without repeating it`, () => {
      const error = refusal(spec);
      expect(error.code).to.equal('usage');
      expect(error.message).to.include(reason);
      expect(JSON.stringify([error.message, error.remedy, error.detail, String(error.cause)])).not.to.include(
        'hunter2',
      );
    });
  }

  it('shows no value of the environment in any error', () => {
    for (const spec of ['id=a,env=UNSET', 'id=TOKEN,src=no', 'type=file,id=TOKEN', 'id=npm,x=1']) {
      const {message, remedy, detail} = refusal(spec);
      expect(JSON.stringify([message, remedy, detail])).not.to.match(/from the variable|from npm/);
    }
  });
});

describe('secretFileSpec', () => {
  it('quotes what a comma or a quote would break', () => {
    expect(secretFileSpec('a', '/tmp/x/secret-0')).to.equal('id=a,src=/tmp/x/secret-0');
    expect(secretFileSpec('a,"b', '/tmp/x,y')).to.equal('"id=a,""b","src=/tmp/x,y"');
  });
});

describe('placeSecrets', () => {
  it('puts secrets of the environment into private files, and passes the others on', () => {
    const placed = placeSecrets(
      [
        {kind: 'verbatim', spec: 'id=a,src=f'},
        {kind: 'environment', id: 'b,c', value: 'hunter2\n'},
        {kind: 'environment', id: 'd', value: ''},
      ],
      (name) => `/private/${name}`,
    );
    expect(placed).to.deep.equal([
      {spec: 'id=a,src=f'},
      {
        spec: '"id=b,c",src=/private/secret-1',
        file: {path: '/private/secret-1', text: 'hunter2\n'},
      },
      {spec: 'id=d,src=/private/secret-2', file: {path: '/private/secret-2', text: ''}},
    ]);
  });
});
