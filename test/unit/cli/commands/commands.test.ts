/** Covers the definitions of flags: what kubectl build has is here as well, and summaries are phrases. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {commandNames, commands, findTiltArgument} from '../../../../src/cli/commands/commands.ts';

const recordedHelp = readFileSync(
  join(import.meta.dirname, '../../../fixtures/recordings/help.yaml'),
  'utf8',
);

describe('the flags of a build', () => {
  it('are all of kubectl build, with the same letters, and none of them is dropped', () => {
    const recorded = [...recordedHelp.matchAll(/^ {4,8}(?:-(\w), )?--([a-z-]+)/gm)];
    expect(recorded.length).to.equal(40);
    for (const [, char, name = ''] of recorded) {
      const flag = commands.build.flags[name];
      expect(flag?.char, name).to.equal(char);
      if (name !== 'help') expect(flag?.passed, name).to.be.oneOf(['as-given', 'rewritten']);
    }
  });

  it('are arguments in a Tiltfile where the extension has them', () => {
    const tiltfile = readFileSync(
      join(import.meta.dirname, '../../../../tilt/kubectl_build/Tiltfile'),
      'utf8',
    );
    const [, parameters = ''] = /^def kubectl_build\((.*?)\):/ms.exec(tiltfile) ?? [];
    const names = [...parameters.matchAll(/(\w+)\s*(?:=|,|$)/g)].map(([, name]) => name);
    for (const name of Object.keys(commands.build.flags)) {
      const argument = findTiltArgument(name);
      if (argument && 'name' in argument) expect(names, name).to.include(argument.name);
    }
    expect(findTiltArgument('constructor')).to.equal(undefined);
  });
});

describe('each command', () => {
  for (const command of commandNames) {
    it(`${command} has summaries without a full stop, and each letter once`, () => {
      const {summary, flags} = commands[command];
      for (const text of [summary, ...Object.values(flags).map((flag) => flag.summary)])
        expect(text).to.match(/^\S.*[^.\s]$/);
      const letters = Object.values(flags).flatMap(({char}) => char ?? []);
      expect(new Set(letters).size).to.equal(letters.length);
    });
  }
});
