/** Owns the way from Starlark to Python: what only Python has is refused, what differs is rewritten to calls of the prelude. */
import {parser} from '@lezer/python';

type Node = ReturnType<typeof parser.parse>['topNode'];

export class StarlarkError extends Error {}

/** Of Python's grammar, what is Starlark's too and of use in the Tiltfiles here. */
const SYNTAX = new Set(
  `Script StatementGroup ExpressionStatement AssignStatement UpdateStatement ReturnStatement PassStatement
  BreakStatement ContinueStatement IfStatement ForStatement FunctionDefinition ParamList Body Comment None Boolean
  Number String Escape VariableName PropertyName ParenthesizedExpression ArrayExpression TupleExpression
  DictionaryExpression ArrayComprehensionExpression DictionaryComprehensionExpression ConditionalExpression
  UnaryExpression BinaryExpression MemberExpression CallExpression ArgList AssignOp UpdateOp ArithOp CompareOp BitOp
  def return if elif else for in not and or pass break continue ( ) [ ] { } , : ; . * **`.split(/\s+/),
);
/** What Starlark has elsewhere only. */
const MISPLACED =
  /^(ForStatement else|ArgList for|(Array|Tuple|Dictionary)Expression \*+|AssignStatement \*|ArithOp \*\*)$/;
const COMPARISON = /^([=!<>]=?|(not )?in)$/;
const STRING = /^['"]([^\\]|\\[nrt\\'"\n])*$/;
/** A dict of MicroPython does not keep its entries in order. */
const DICT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  DictionaryExpression: {'{': '__dict([(', ':': ',', ',': '), (', '}': ')])'},
  DictionaryComprehensionExpression: {'{': '__dict([(', ':': ',', for: ') for', '}': '])'},
};

/** Throws a StarlarkError for what can be refused before anything runs. */
export function toPython(source: string, filename: string, known: readonly string[]): string {
  const file = parser.parse(source).topNode;
  const text = (node: Node | null | undefined) => (node ? source.slice(node.from, node.to) : '');
  const refuse = (node: Node, why = `not in Starlark: ${text(node)}`) => {
    throw new StarlarkError(`${filename}:${source.slice(0, node.from).split('\n').length}: ${why}`);
  };
  const operator = (node: Node | null) =>
    node?.name === 'BinaryExpression' ? children(node).slice(1, -1).map(text).join(' ') : '';
  const nodes = [file, ...descendants(file)];
  const names = new Set([
    ...known.flatMap((name) => name.split('.')[0] ?? []),
    ...nodes.filter(isBinding).map(text),
  ]);
  for (const node of nodes) {
    const {name, parent, firstChild, lastChild, nextSibling} = node;
    const isKeyword = parent?.name === 'ArgList' && nextSibling?.name === 'AssignOp';
    if (!SYNTAX.has(name) || MISPLACED.test(`${parent?.name} ${name}`)) refuse(node);
    if (name === 'String' && !STRING.test(text(node))) refuse(node);
    if (name === 'AssignStatement' && node.getChildren('AssignOp').length > 1) refuse(node);
    if (/^(Assign|Return)Statement$/.test(name) && lastChild?.name === ',') refuse(node);
    if (COMPARISON.test(operator(node)) && COMPARISON.test(operator(firstChild))) refuse(node);
    if (name === 'VariableName' && !isKeyword && !names.has(text(node)))
      refuse(node, `undefined: ${text(node)}`);
    if (name === 'FunctionDefinition') {
      const own = text(node.getChild('VariableName'));
      const calls = descendants(node).filter((inner) => inner.name === 'CallExpression');
      if (calls.some((call) => text(call.firstChild) === own)) refuse(node, `${own} called recursively`);
    }
  }

  const rewrite = (node: Node): string => {
    const parts = children(node);
    const [first = file, sign, last = file] = parts;
    if (node.name === 'MemberExpression' && known.includes(text(node))) return `__names['${text(node)}']`;
    if (node.name === 'MemberExpression' && sign?.name === '.')
      return `__attribute(${rewrite(first)}, '${text(last)}')`;
    if (node.name === 'MemberExpression' && text(node).endsWith('[::-1]'))
      return `__reversed(${rewrite(first)})`;
    if (operator(node) === '%') return `__modulo(${rewrite(first)}, ${rewrite(last)})`;
    const pieces = parts.map(
      (part) => source.slice(part.prevSibling?.to ?? node.from, part.from) + rewritePart(part, node),
    );
    return parts.length === 0 ? text(node) : pieces.join('') + source.slice(node.lastChild?.to, node.to);
  };
  const rewritePart = (part: Node, {name, firstChild}: Node): string => {
    const before = part.prevSibling?.name;
    if (before === 'in' && /^For|Comprehension/.test(name)) return `__iterate(${rewrite(part)})`;
    if (before === 'UpdateOp') return `__addend(${text(firstChild)}, ${rewrite(part)})`;
    if (before === 'AssignOp' && name === 'ParamList') return `__keep(${rewrite(part)})`;
    return DICT[name]?.[part.name] ?? rewrite(part);
  };
  return rewrite(file);
}

/** Whether a name gets a value here, wherever in the file that counts. */
function isBinding({name, parent, from, prevSibling}: Node): boolean {
  const isBefore = (sign: string) => from < (parent?.getChild(sign)?.from ?? 0);
  if (name !== 'VariableName') return false;
  if (parent?.name === 'ParamList') return prevSibling?.name !== 'AssignOp';
  if (parent?.name === 'AssignStatement') return isBefore('AssignOp');
  return (
    parent?.name === 'FunctionDefinition' ||
    (/^For|Comprehension/.test(parent?.name ?? '') && isBefore('in') && !isBefore('for'))
  );
}

function children(node: Node): Node[] {
  const found: Node[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child);
  return found;
}

function descendants(node: Node): Node[] {
  return children(node).flatMap((child) => [child, ...descendants(child)]);
}
