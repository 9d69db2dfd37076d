/** Owns which images a Dockerfile names, and where: in FROM, COPY --from and RUN --mount=from. */
import {Arg, Copy, DockerfileParser, From, type Instruction, Run} from 'dockerfile-ast';
import {readCsvFields, writeCsvRecord} from '../../text/csv-fields.ts';

/** A name of an image, with the arguments in it replaced. Stages have no place here. */
export interface NamedImage {
  readonly name: string;
  /** What of the text to replace to name another image, from one offset to another. */
  readonly start: number;
  readonly end: number;
  readonly write: (name: string) => string;
}

type Values = ReadonlyMap<string, string | undefined>;

/**
 * `buildArguments` are those that the build is given. Without a name are images whose name depends on the platform, and
 * ones with a replacement of a pattern in it (`${NAME%…}`).
 */
export function findImages(dockerfile: string, buildArguments: Values): readonly NamedImage[] {
  const starts = [0, ...[...dockerfile.matchAll(/\r\n|\n|\r/g)].map(({index, 0: end}) => index + end.length)];
  const place = ({start, end}: TextRange) => ({
    start: (starts[start.line] ?? 0) + start.character,
    end: (starts[end.line] ?? 0) + end.character,
  });
  const instructions = DockerfileParser.parse(dockerfile).getInstructions();
  const first = instructions.findIndex(isFrom);
  const values = readArguments(instructions.slice(0, Math.max(first, 0)), buildArguments);

  const stages = instructions.filter(isFrom).map((from) => from.getBuildStage()?.toLowerCase());
  const above = new Set<string>();
  const found: NamedImage[] = [];
  const add = (name: string | undefined, known: ReadonlySet<unknown>, range: TextRange, write = asIs) => {
    if (name && !known.has(name.toLowerCase())) found.push({name, ...place(range), write});
  };
  for (const instruction of instructions.slice(Math.max(first, 0))) {
    if (isFrom(instruction)) {
      const range = instruction.getImageRange();
      // A stage may be built on an image of its own name.
      if (range) add(expand(instruction.getImage() ?? '', values), above, range);
      above.add(instruction.getBuildStage()?.toLowerCase() ?? '');
    } else if (instruction instanceof Copy || instruction instanceof Run) {
      for (const flag of instruction.getFlags()) {
        const range = flag.getValueRange();
        const value = unquote(flag.getValue() ?? '');
        if (range === null) continue;
        if (flag.getName() === 'from' && !/^\d+$/.test(value)) add(value, new Set(stages), range);
        if (flag.getName() !== 'mount') continue;
        const fields = readCsvFields(value) ?? [];
        const from = fields.find(isSource)?.value;
        add(from, new Set(stages), range, (name) =>
          writeCsvRecord(
            fields.map((field) =>
              [field.key, isSource(field) ? name : field.value].filter(isGiven).join('='),
            ),
          ),
        );
      }
    }
  }
  return found;
}

interface TextRange {
  readonly start: {readonly line: number; readonly character: number};
  readonly end: {readonly line: number; readonly character: number};
}

const isFrom = (instruction: Instruction): instruction is From => instruction instanceof From;
const isSource = ({key}: {readonly key: string}) => key.toLowerCase() === 'from';
const isGiven = (text: string | undefined) => text !== undefined;
const asIs = (name: string) => name;
const unquote = (text: string) => /^(["'])(.*)\1$/s.exec(text)?.[2] ?? text;

/** The arguments before the first stage, which alone apply to FROM; undefined are values that `expand` cannot tell. */
function readArguments(instructions: readonly Instruction[], given: Values): Values {
  const values = new Map<string, string | undefined>();
  for (const instruction of instructions) {
    if (!(instruction instanceof Arg)) continue;
    for (const word of instruction.getArguments()) {
      const [, key = '', text] = /^([^=]*)(?:=(.*))?$/s.exec(word.getValue()) ?? [];
      if (given.has(key)) values.set(key, given.get(key));
      else if (text !== undefined) values.set(key, expand(text, values));
    }
  }
  return values;
}

const PART = /\$(\w+)|\$\{(\w+)(?:(:?[-+?])((?:\$\{[^{}]*\}|[^{}])*))?\}|["']|\$/g;
/** BuildKit sets these by itself. */
const AUTOMATIC = /^(?:(?:BUILD|TARGET)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT)|TARGETSTAGE)$/;

/** No image has such a name, and arguments that hold each other several times have values without end. */
const LONGEST = 4096;

/** As BuildKit does it; undefined where the value is known to BuildKit alone, or too long. */
function expand(word: string, values: Values): string | undefined {
  let isKnown = true;
  const expanded = word.replace(PART, (part, plain?: string, braced?: string, sign?: string, other = '') => {
    const name = plain ?? braced;
    if (name === undefined) {
      if (part === '$') isKnown = false;
      return '';
    }
    const value = values.get(name);
    if (value === undefined && (values.has(name) || AUTOMATIC.test(name))) isKnown = false;
    const isSet = sign?.startsWith(':') ? Boolean(value) : value !== undefined;
    const otherwise = () => {
      const inner = expand(other, values);
      if (inner === undefined) isKnown = false;
      return inner ?? '';
    };
    if (sign?.endsWith('+')) return isSet ? otherwise() : '';
    if (sign?.endsWith('-')) return isSet ? (value ?? '') : otherwise();
    return value ?? '';
  });
  return isKnown && expanded.length <= LONGEST ? expanded : undefined;
}
