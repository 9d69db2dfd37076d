/** Owns the lexical blocks of a file: which names they bind, and what a use of a name stands for. */
import type {Position} from './errors.ts';
import type {Binding, Container, Identifier} from './syntax.ts';

/** A file, a function or a comprehension. */
export interface Block {
  readonly parent: Block | undefined;
  /** Undefined for a comprehension, whose variables live in the frame of what surrounds it. */
  readonly container: Container | undefined;
  readonly bindings: Map<string, Binding>;
  readonly children: Block[];
  uses: {readonly name: Identifier; readonly from: Block}[];
}

export interface Names {
  readonly isPredeclared: (name: string) => boolean;
  readonly isUniversal: (name: string) => boolean;
  readonly report: (reason: string, at: Position) => void;
}

export function createBlock(parent: Block | undefined, container: Container | undefined): Block {
  const block: Block = {parent, container, bindings: new Map(), children: [], uses: []};
  parent?.children.push(block);
  return block;
}

export function enclosingContainer(block: Block): Block & {container: Container} {
  let current = block;
  while (current.container === undefined && current.parent !== undefined) current = current.parent;
  return current as Block & {container: Container};
}

/** Binds the uses of a function's own variables when its end is reached. */
export function bindLocalUses(block: Block): void {
  block.uses = block.uses.filter(({name, from}) => {
    const binding = findLocal(name.name, from);
    if (binding !== undefined) name.binding = binding;
    return binding === undefined;
  });
}

function findLocal(name: string, from: Block): Binding | undefined {
  for (let block: Block | undefined = from; block !== undefined; block = block.parent) {
    const binding = block.bindings.get(name);
    if (binding !== undefined) return binding;
    if (block.container !== undefined) return undefined;
  }
  return undefined;
}

/** Binds what is left at the end of the file: variables of enclosing functions, globals, and what was there before. */
export function bindOuterUses(block: Block, resolveTop: (name: Identifier) => Binding): void {
  for (const child of block.children) bindOuterUses(child, resolveTop);
  for (const {name, from} of block.uses) name.binding = lookUp(name, from, resolveTop);
}

function lookUp(name: Identifier, block: Block, resolveTop: (name: Identifier) => Binding): Binding {
  if (block.parent === undefined) return resolveTop(name);
  const found = block.bindings.get(name.name) ?? lookUp(name, block.parent, resolveTop);
  if (block.container !== undefined && found.scope === 'local' && found.owner !== block.container) {
    block.container.free.add(found);
  }
  return found;
}

/** What a name at the top of the file stands for, where only what was bound further up counts. */
export function createTopResolver(
  file: Block,
  globals: ReadonlyMap<string, Binding>,
  names: Names,
): (name: Identifier) => Binding {
  return ({name, start}) => {
    const bound = file.bindings.get(name) ?? globals.get(name);
    if (bound !== undefined) return bound;
    if (names.isPredeclared(name)) return {name, scope: 'predeclared', owner: undefined};
    if (names.isUniversal(name)) {
      // Tilt leaves the option off that would allow it.
      if (name === 'set') names.report('this Starlark dialect does not support sets', start);
      return {name, scope: 'universal', owner: undefined};
    }
    names.report(`undefined: ${name}`, start);
    return {name, scope: 'undefined', owner: undefined};
  };
}
