/**
 * Owns the version resource of a program for Windows. On other platforms Bun cannot set it, and leaves its own in place.
 * We overwrite it without moving anything else.
 */
import {Resource} from 'resedit';

const RESOURCE_TABLE = 2;
const SECTION_SIZE = 40;
const ICON = 3;
const ICON_GROUP = 14;
const VERSION = 16;
const IS_DIRECTORY = 0x80000000;
const ENGLISH = {lang: 0x409, codepage: 1200};

export interface ProgramVersion {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly copyright: string;
}

interface Resources {
  /** Their offset in the file. */
  readonly start: number;
  /** File offset minus memory address. */
  readonly shift: number;
}

/** The program with its own version resource, and without Bun's icon. */
export function setWindowsVersion(file: Buffer, own: ProgramVersion): Buffer {
  const changed = Buffer.from(file);
  const {start, shift} = findResources(changed);
  const entry = findData(changed, start, VERSION);
  const place = changed.readUInt32LE(entry) + shift;
  const room = changed.readUInt32LE(entry + 4);
  const content = Buffer.from(makeVersion(own));
  if (content.length > room) throw new Error(`The version resource has room for ${room} bytes only.`);
  changed.fill(0, place, place + room);
  content.copy(changed, place);
  changed.writeUInt32LE(content.length, entry + 4);
  dropKinds(changed, start, [ICON, ICON_GROUP]);
  return changed;
}

/** The strings of the version resource. */
export function readWindowsVersion(file: Buffer): Readonly<Record<string, string>> {
  const {start, shift} = findResources(file);
  const entry = findData(file, start, VERSION);
  const place = file.readUInt32LE(entry) + shift;
  const bin = new Uint8Array(file.subarray(place, place + file.readUInt32LE(entry + 4))).buffer;
  const [info] = Resource.VersionInfo.fromEntries([{type: VERSION, id: 1, ...ENGLISH, bin}]);
  const [language] = info?.getAllLanguagesForStringValues() ?? [];
  return language === undefined ? {} : (info?.getStringValues(language) ?? {});
}

/** The kinds of its resources. */
export function readResourceKinds(file: Buffer): readonly number[] {
  return readDirectory(file, findResources(file).start).map(({id}) => id);
}

function makeVersion({name, version, description, copyright}: ProgramVersion): ArrayBuffer {
  const info = Resource.VersionInfo.createEmpty();
  info.lang = ENGLISH.lang;
  info.setFileVersion(`${version}.0`, ENGLISH.lang);
  info.setProductVersion(`${version}.0`, ENGLISH.lang);
  info.setStringValues(ENGLISH, {
    FileDescription: description,
    FileVersion: version,
    LegalCopyright: copyright,
    OriginalFilename: `${name}.exe`,
    ProductName: name,
    ProductVersion: version,
  });
  return info.generateResource().bin;
}

function findResources(file: Buffer): Resources {
  const header = file.readUInt32LE(0x3c);
  if (file.toString('latin1', header, header + 4) !== 'PE\0\0') throw new Error('This is not a PE file.');
  const optional = header + 24;
  const address = file.readUInt32LE(optional + 112 + RESOURCE_TABLE * 8);
  const sections = optional + file.readUInt16LE(header + 20);
  for (let index = 0; index < file.readUInt16LE(header + 6); index += 1) {
    const section = sections + index * SECTION_SIZE;
    const [size, begin, , place] = [8, 12, 16, 20].map((offset) => file.readUInt32LE(section + offset)) as [
      number,
      number,
      number,
      number,
    ];
    if (address >= begin && address < begin + size) {
      return {start: address - begin + place, shift: place - begin};
    }
  }
  throw new Error('The file has no resources.');
}

interface DirectoryEntry {
  readonly at: number;
  readonly id: number;
  readonly target: number;
}

function readDirectory(file: Buffer, at: number): readonly DirectoryEntry[] {
  const count = file.readUInt16LE(at + 12) + file.readUInt16LE(at + 14);
  return Array.from({length: count}, (_, index) => {
    const entry = at + 16 + index * 8;
    return {at: entry, id: file.readUInt32LE(entry), target: file.readUInt32LE(entry + 4)};
  });
}

/** The offset of the entry with the address and size of the first resource of a kind. */
function findData(file: Buffer, start: number, kind: number): number {
  let entry = readDirectory(file, start).find(({id}) => id === kind);
  while (entry !== undefined && entry.target >= IS_DIRECTORY) {
    entry = readDirectory(file, start + (entry.target - IS_DIRECTORY))[0];
  }
  if (entry === undefined) throw new Error(`The file has no resource of kind ${kind}.`);
  return start + entry.target;
}

function dropKinds(file: Buffer, start: number, kinds: readonly number[]): void {
  const all = readDirectory(file, start);
  const kept = all.filter(({id}) => !kinds.includes(id));
  for (const [index, {id, target}] of kept.entries()) {
    file.writeUInt32LE(id, start + 16 + index * 8);
    file.writeUInt32LE(target, start + 16 + index * 8 + 4);
  }
  // Named kinds are counted separately, and there are none.
  file.writeUInt16LE(file.readUInt16LE(start + 14) - (all.length - kept.length), start + 14);
}
