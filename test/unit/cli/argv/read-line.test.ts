/** Covers which command a line names, wherever its flags stand. */
import {expect} from 'chai';
import {readLine} from '../../../../src/cli/argv/read-line.ts';
import {commandNames, commands, everyFlag} from '../../../../src/cli/commands/commands.ts';

const LINES: readonly (readonly [line: string, command: string, words?: string, given?: object])[] = [
  ['', 'build'],
  ['builder', 'builder'],
  ['builder ls', 'builder ls'],
  ['-n builds builder ls', 'builder ls', '', {namespace: ['builds']}],
  ['builder -n builds ls', 'builder ls', '', {namespace: ['builds']}],
  ['builder ls -nbuilds', 'builder ls', '', {namespace: ['builds']}],
  ['--context x doctor', 'doctor', '', {context: ['x']}],
  ['-y doctor --fix', 'doctor', '', {yes: [true], fix: [true]}],
  ['-o json doctor', 'doctor', '', {output: ['json']}],
  [
    '--kubeconfig f builder --namespace x create foo',
    'builder create',
    'foo',
    {kubeconfig: ['f'], namespace: ['x']},
  ],
  ['--replicas 2 builder create', 'builder create', '', {replicas: ['2']}],
  ['builder logs -f x', 'builder logs', 'x', {follow: [true]}],
  ['builder logs -f -h', 'builder logs', '', {follow: [true], help: [true]}],
  ['builder web', 'builder', 'web'],
  // A value names no command, and neither does what follows the build context or `--`.
  ['-t builder .', 'build', '.', {tag: ['builder']}],
  ['-f doctor .', 'build', '.', {file: ['doctor']}],
  ['-f builder logs', 'build', 'logs', {file: ['builder']}],
  ['. doctor', 'build', '. doctor'],
  ['./builder', 'build', './builder'],
  ['build', 'build', 'build'],
  ['-- builder ls', 'build'],
  ['builder -- ls', 'builder'],
];

describe('readLine', () => {
  for (const [line, command, words = '', given = {}] of LINES) {
    it(`reads ${line || 'nothing'} as ${command}`, () => {
      const read = readLine(line.split(' ').filter(Boolean));
      expect({
        command: read.command,
        words: read.words.map(({text}) => text).join(' '),
        given: Object.fromEntries(read.given),
        faults: read.faults,
      }).to.deep.equal({command, words, given, faults: []});
    });
  }

  it('finds fault with the flags of other commands, on either side', () => {
    for (const [line, shown] of [
      ['-t x builder ls', '--tag'],
      ['builder ls -t x', '-t'],
      ['-f x builder logs', '--file'],
      ['builder -f logs', '-f'],
      ['builder ls --yes', '--yes'],
    ] as const)
      expect(readLine(line.split(' ')).faults[0], line).to.deep.equal({kind: 'unknown', shown});
  });

  it('can tell a value from a word before it knows the command: names agree on that, and letters but -f', () => {
    const isSwitch = (flags: typeof everyFlag) => (name: string) => flags[name]?.type === 'switch';
    for (const command of commandNames) {
      const {flags} = commands[command];
      for (const [name, {char}] of Object.entries(flags)) {
        expect(isSwitch(flags)(name), `${command} --${name}`).to.equal(isSwitch(everyFlag)(name));
        const others = Object.keys(everyFlag).filter((other) => char && everyFlag[other]?.char === char);
        if (char !== 'f')
          for (const other of others) expect(isSwitch(everyFlag)(other)).to.equal(isSwitch(flags)(name));
      }
    }
  });
});
