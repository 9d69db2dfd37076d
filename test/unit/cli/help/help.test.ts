/** Covers the help of each command: all of its flags are there, in columns, and it fits a terminal. */
import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {expect} from 'chai';
import {commandNames, commands} from '../../../../src/cli/commands/commands.ts';
import {renderHelp} from '../../../../src/cli/help/help.ts';
import {EXIT_CODE_TABLE} from '../../../../src/cli/render/exit-codes.ts';

describe('renderHelp', () => {
  for (const name of commandNames) {
    it(`fits 80 columns and ends with one line break: ${name}`, async () => {
      const help = await renderHelp(name);
      expect(help).to.match(/[^\n]\n$/);
      for (const line of help.split('\n')) expect(line.length, line).to.be.at.most(80);
      expect(help.startsWith(`${commands[name].summary}\n\n`)).to.equal(true);
    });
  }

  for (const name of commandNames.filter((other) => other !== 'builder')) {
    it(`has every flag of ${name}, those of a section in one column`, async () => {
      const sections = (await renderHelp(name))
        .split('\n\n')
        .filter((section) => /^[A-Z ]*FLAGS\n/.test(section));
      for (const section of sections) {
        const columns = [...section.matchAll(/^ {2,6}(?:-\w, )?(?=--)/gm)].map(([before]) => before.length);
        expect(new Set(columns).size, section).to.equal(1);
      }
      for (const [flag, {char}] of Object.entries(commands[name].flags)) {
        const shown = new RegExp(`^ +${char ? `-${char}, ` : ''}--${flag}(?=[\\s=])`, 'm');
        expect(shown.test(sections.join('\n')), flag).to.equal(true);
      }
    });
  }

  it('keeps the flags of a section in one column on a narrow terminal, where each has lines of its own', () => {
    const main = join(import.meta.dirname, '../../../../src/main.ts');
    const env = {...process.env, OCLIF_COLUMNS: '40'};
    const help = execFileSync(process.execPath, [main, '--help'], {encoding: 'utf8', env});
    expect(help).to.match(/^RESULT FLAGS\n {6}--image=NAME\n {6,}Image name/m);
  });

  it('has the commands and the exit codes', async () => {
    const help = await renderHelp('build');
    for (const word of ['builder', 'doctor', ...EXIT_CODE_TABLE.map(([codes]) => codes)])
      expect(help).to.match(new RegExp(`^  ${word} +\\S`, 'm'));
    expect(await renderHelp('builder')).to.match(/^ {2}create +Create a builder/m);
  });
});
