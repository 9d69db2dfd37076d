/** Covers `--secret`: docker's rules, and that no error repeats the value. */
import {expect} from 'chai';
import {
  placeSecrets,
  readBuildSecret,
  readBuildSecrets,
  type SecretSources,
} from '../../../../src/image-build/inputs/secrets.ts';
import {refusalOf} from '../../../helpers/caught.ts';

const SOURCES: SecretSources = {
  env: {TOKEN: 'from the variable', EMPTY: '', npm: 'from npm', both: 'variable wins'},
  cwd: '/project',
  exists: (path) => ['file', 'a,b', 'dir/f', 'both', 'TOKEN2'].includes(path),
};

const fileSecret = (id: string, path: string) => ({kind: 'file', id, path}) as const;
const environment = (id: string, value: string) => {
  const variable = Object.keys(SOURCES.env).find((name) => SOURCES.env[name] === value) ?? id;
  return {kind: 'environment', id, variable, value} as const;
};

const refusal = (spec: string) => refusalOf(() => readBuildSecret(spec, SOURCES));

describe('readBuildSecret', () => {
  for (const [spec, secret] of [
    ['id=a,src=file', fileSecret('a', '/project/file')],
    ['ID=a,SOURCE=dir/f', fileSecret('a', '/project/dir/f')],
    ['src=file,id=a', fileSecret('a', '/project/file')],
    ['type=file,id=a,src=file', fileSecret('a', '/project/file')],
    ['id=a,"src=a,b"', fileSecret('a', '/project/a,b')],
    ['id=b,id=a,src=no,src=file', fileSecret('a', '/project/file')],
    ['id=a,env=TOKEN', environment('a', 'from the variable')],
    ['type=file,id=a,env=TOKEN', environment('a', 'from the variable')],
    ['id=a,env=EMPTY', environment('a', '')],
    ['id=a,src=file,env=TOKEN', environment('a', 'from the variable')],
    ['type=env,id=a,src=file,env=TOKEN', environment('a', 'from the variable')],
    ['type=env,id=a,src=TOKEN', environment('a', 'from the variable')],
    // Without a source the type says nothing.
    ...['id=npm', 'type=env,id=npm', 'type=file,id=npm'].map(
      (spec) => [spec, environment('npm', 'from npm')] as const,
    ),
    ...['id=file', 'type=env,id=file', 'type=file,id=file'].map(
      (spec) => [spec, fileSecret('file', '/project/file')] as const,
    ),
    ['id=both', environment('both', 'variable wins')],
    ['"id=a,b"', fileSecret('a,b', '/project/a,b')],
    // As with docker, an empty source is none.
    ['id=npm,src=', environment('npm', 'from npm')],
    ['id=npm,env=', environment('npm', 'from npm')],
    ['type=env,id=npm,src=', environment('npm', 'from npm')],
    ['id=a,src=file,env=', fileSecret('a', '/project/file')],
  ] as const) {
    it(`reads ${spec}`, () => expect(readBuildSecret(spec, SOURCES)).to.deep.equal(secret));
  }

  it('takes the last of several secrets with one id, and leaves out an empty value', () => {
    expect(readBuildSecrets(['id=a,src=file', '', 'id=npm', 'id=a,env=TOKEN'], SOURCES)).to.deep.equal([
      environment('a', 'from the variable'),
      environment('npm', 'from npm'),
    ]);
    expect(() => readBuildSecrets(['id=a,src=no', 'id=a,env=TOKEN'], SOURCES)).to.throw('there is no file');
  });

  /** What a shell makes of `$TOKEN`. */
  const TOKEN = `ghp_${'hunter2'.repeat(4)}`;
  for (const [spec, message, code = 'usage'] of [
    ['id=a,env=hunter2', 'id=a: env= does not name a variable', 'build-secret-missing'],
    [`id=a,env=${TOKEN}`, 'id=a: env= does not name a variable', 'build-secret-missing'],
    [`id=a,src=${TOKEN}`, 'id=a: there is no file "***"', 'build-secret-missing'],
    [`id=${TOKEN}`, 'id=***: there is no environment variable', 'build-secret-missing'],
    [`id=${TOKEN},type=env,src=${TOKEN}`, 'id=***: the environment variable *** is', 'build-secret-missing'],
    ['id=a,env=UNSET', 'id=a: the environment variable UNSET is not set', 'build-secret-missing'],
    ['type=env,id=a,src=UNSET', 'id=a: the environment variable UNSET is not set', 'build-secret-missing'],
    ['id=a,src=missing,env=TOKEN', 'id=a: there is no file "missing"', 'build-secret-missing'],
    ['type=env,id=a,src=missing,env=TOKEN', 'there is no file "missing"', 'build-secret-missing'],
    ['type=env,id=a', 'no environment variable and no file named "a"', 'build-secret-missing'],
    ['id=a,src=nowhere', 'id=a: there is no file "nowhere"', 'build-secret-missing'],
    ['id=TOKEN,src=no', 'id=TOKEN: there is no file "no"', 'build-secret-missing'],
    ['id=nothing', 'no environment variable and no file named "nothing"', 'build-secret-missing'],
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
    it(`refuses ${spec} without repeating a value`, () => {
      const error = refusal(spec);
      expect(error.code).to.equal(code);
      expect(error.message).to.include(message);
      expect(error.remedy).not.to.have.length(0);
      const all = JSON.stringify([error.message, error.remedy, error.detail, String(error.cause)]);
      expect(all).not.to.match(/hunter2|from the variable|from npm/);
    });
  }
});

describe('placeSecrets', () => {
  it('puts secrets of the environment into private files, and passes the others on', () => {
    const secrets = [fileSecret('a', '/f'), environment('b,c', 'hunter2\n'), environment('d', '')];
    expect(placeSecrets(secrets, (name) => `/private/${name}`)).to.deep.equal([
      {spec: 'id=a,src=/f'},
      {
        spec: '"id=b,c",src=/private/secret-1',
        file: {path: '/private/secret-1', text: 'hunter2\n'},
      },
      {spec: 'id=d,src=/private/secret-2', file: {path: '/private/secret-2', text: ''}},
    ]);
  });
});
