/** Covers the Starlark of the tests: it computes what Starlark does, and refuses what Python alone would take. */
import {expect} from 'chai';
import {type Builtin, execute} from '../helpers/starlark/starlark.ts';
import {StarlarkError} from '../helpers/starlark/to-python.ts';

const LOADED = 'shared = []\n_own = 1\ndef add(): shared.append(1)';

function run(source: string): unknown[] {
  const seen: unknown[] = [];
  const builtins: Readonly<Record<string, Builtin>> = {
    see: ['value:any', ({value}) => void seen.push(value)],
    blob: ['contents:string', ({contents}) => ({kind: 'blob', content: contents})],
  };
  execute(source, 'Tiltfile', {builtins, values: {'os.environ': {A: 'b'}}, read: () => LOADED});
  return seen;
}

describe('the Starlark of the tests', () => {
  for (const [expression, value] of [
    [
      "type('') + type(1) + type([]) + type({}) + type(None) + type(blob(''))",
      'stringintlistdictNoneTypeblob',
    ],
    ["'%s %r %d%% %x' % ('a', ['b', True, ('c',)], 3, 255)", 'a ["b", True, ("c",)] 3% ff'],
    ["str([None, {'a': 'b'}]) + str(blob('c'))", '[None, {"a": "b"}]c'],
    ["[name + value for name, value in {'z': '1', 'a': '2'}.items() if name]", ['z1', 'a2']],
    ["{name: name for name in ['z', 'a']}.keys()", ['z', 'a']],
    ["[hash('hello'), hash('👍'), hash('') & 0xffffffff]", [99162322, 128077, 0]],
    ["['abc'[::-1], 'abc'[-2:], 'a:b:c'.rsplit(':', 1)]", ['cba', 'bc', ['a:b', 'c']]],
    ["'a\\r\\nb\\n'.splitlines()", ['a\r', 'b']],
    ["[c for c in 'é🚢'.codepoints()]", ['é', '🚢']],
    ["os.environ.get('A') or fail('none')", 'b'],
  ] as const)
    it(`computes ${expression}`, () => expect(run(`see(${expression})`)).to.deep.equal([value]));

  // Several in a line, two blanks apart.
  for (const source of `while True: pass  class A: pass  import os  try: pass  with see as x: pass  assert True  del see
    x = f'{1}'  x = 'a' 'b'  x = b'a'  x = 'a\\.b'  x = None is None  x = 1 < 2 < 3  x = 2 ** 3  x = {1, 2}
    x = [*[1]]  x = {**{}}  x = y = 1  x = 1,  x: int = 1  def f(a: int): pass  see((x := 1))  see(1 for x in [])`
    .split(/\s{2,}/)
    .concat('for x in []:\n  pass\nelse:\n  pass'))
    it(`has no ${source}`, () => expect(() => run(source)).to.throw(StarlarkError, 'not in Starlark'));

  for (const [source, words] of [
    ['if True:\n    x = 1\n  y = 2', 'IndentationError'],
    ['def f(): return nothing', 'undefined: nothing'],
    ['isinstance(1, int)', 'undefined: isinstance'],
    ['x = 1\ndef f():\n  x += 1\nf()', 'referenced before assignment'],
    ['def f(x): return f(x)', 'f called recursively'],
    ["for c in 'ab': pass", 'string value is not iterable'],
    ["x = [c for c in 'ab']", 'string value is not iterable'],
    ["x = list('ab')", 'string value is not iterable'],
    ["x = ','.join('ab')", 'string value is not iterable'],
    ["x = []\nx += 'ab'", 'string value is not iterable'],
    ["x = 'a' + 1", "'str', 'int'"],
    ["x = 'a' + blob('b')", "'str', 'Opaque'"],
    ['x = [] + (1,)', "'list', 'tuple'"],
    ["x = 'a' < 1", "'str', 'int'"],
    ["x = len('a'.codepoints())", 'Opaque'],
    ["x = '%s %s' % 'a'", 'pop from empty'],
    ["x = '%s' % (1, 2)", 'too many arguments'],
    ["x = '%5d' % 1", 'KeyError: 5'],
    ["x = 'a'.encode()", 'string has no .encode'],
    ["x = 'a,b'.split(sep=',')", "'sep'"],
    ["x = {'a': 1, 'a': 2}", 'duplicate key: "a"'],
    ["x = {}['a']", 'KeyError: a'],
    ['def f(a): pass\nf(1, b=2)', "unexpected keyword argument 'b'"],
    ['see(valeu=1)', "unexpected keyword argument 'valeu'"],
    ['see(1, value=1)', "multiple values for argument 'value'"],
    ['blob(1)', 'for parameter contents: got int, want string'],
    ['x = [1]\nfor y in x: x.append(y)', 'list changed during iteration'],
    ['def f(x=[]): x.append(1)\nf()', 'changed a frozen list'],
    ["load('other', 'add')\nadd()", 'changed a frozen list'],
    ["load('other', '_own')", 'not exported'],
    ["load('other', 'others')", 'KeyError: others'],
  ] as const)
    it(`refuses ${JSON.stringify(source)}`, () => expect(() => run(source)).to.throw(StarlarkError, words));
});
