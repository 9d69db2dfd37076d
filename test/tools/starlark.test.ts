/** Covers the Starlark interpreter that runs Tiltfiles in tests: what it accepts, and above all what it refuses. */
import {expect} from 'chai';
import {
  builtin,
  callFunction,
  execute,
  fromJs,
  mapping,
  module,
  opaque,
  StarlarkError,
  type StarlarkValue,
  takeArguments,
  toJs,
} from '../helpers/starlark/starlark.ts';

function run(source: string, predeclared: Record<string, StarlarkValue> = {}): string {
  const lines: string[] = [];
  execute(source, {filename: 'Tiltfile', predeclared, print: (line) => lines.push(line)});
  return lines.join('\n');
}

function refusalOf(work: () => unknown): StarlarkError {
  try {
    work();
  } catch (error) {
    if (error instanceof StarlarkError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** What it does, the program, and what it prints. */
const accepted: readonly (readonly [string, string, string])[] = [
  ['passes arguments by position and by name', 'def f(a, b): print(a, b)\nf(1, b=2)', '1 2'],
  ['takes defaults', 'def f(a, b=2): print(a, b)\nf(1)', '1 2'],
  ['collects *args', 'def f(a, *rest): print(a, rest)\nf(1, 2, 3)', '1 (2, 3)'],
  ['collects **kwargs', 'def f(**more): print(more)\nf(x=1, y="z")', '{"x": 1, "y": "z"}'],
  ['takes keyword-only parameters', 'def f(a, *, b, c=3): print(a, b, c)\nf(1, b=2)', '1 2 3'],
  ['spreads arguments', 'def f(a, b, c): print(a, b, c)\nf(1, *[2], **{"c": 3})', '1 2 3'],
  ['returns None without a return', 'def f(): pass\nprint(f())', 'None'],
  ['returns several values as a tuple', 'def f():\n  return 1, "b"\nprint(f())', '(1, "b")'],
  ['evaluates defaults once', 'l = []\ndef f(x=l):\n  x.append(1)\n  return x\nf()\nprint(f())', '[1, 1]'],
  ['closes over variables', 'def f(x):\n  def g(y): return x + y\n  return g\nprint(f(1)(2))', '3'],
  ['has lambdas', 'print((lambda x, y=2: x * y)(3))', '6'],
  ['calls functions defined further down', 'def f(): return g()\ndef g(): return 1\nprint(f())', '1'],
  ['skips a docstring', 'def f():\n  """Doc.\n\n  More."""\n  return 1\nprint(f())', '1'],
  [
    'chooses by if, elif and else',
    'for x in range(3):\n  if x == 0: print("a")\n  elif x == 1: print("b")\n  else: print("c")',
    'a\nb\nc',
  ],
  ['loops at the top', 'for x in [1, 2]:\n  print(x)', '1\n2'],
  [
    'leaves and continues loops',
    'for x in range(9):\n  if x == 1: continue\n  if x == 3: break\n  print(x)',
    '0\n2',
  ],
  ['binds a global again', 'x = 1\nx = 2\nprint(x)', '2'],
  ['uses a builtin before the file has the name', 'print(len("ab"))\nlen = 3\nprint(len)', '2\n3'],
  ['unpacks tuples and lists', '(a, [b, c]), d = (1, [2, 3]), 4\nprint(a, b, c, d)', '1 2 3 4'],
  ['unpacks in loops', 'for k, v in {"a": 1}.items():\n  print(k, v)', 'a 1'],
  ['swaps', 'a, b = 1, 2\na, b = b, a\nprint(a, b)', '2 1'],
  ['adds in place to a list that another name has too', 'a = [1]\nb = a\nb += [2]\nprint(a)', '[1, 2]'],
  ['extends a list by a tuple in place', 'a = [1]\na += (2,)\nprint(a)', '[1, 2]'],
  [
    'has all augmented assignments',
    'a = 7\na -= 1\na *= 3\na //= 4\na %= 3\na |= 4\na &= 5\na ^= 1\na <<= 3\na >>= 1\nprint(a)',
    '16',
  ],
  ['augments an entry', 'd = {"a": 1}\nd["a"] += 1\nprint(d)', '{"a": 2}'],
  ['has list comprehensions', 'print([x + y for x in [1, 2] if x > 1 for y in [3, 4]])', '[5, 6]'],
  ['has dict comprehensions', 'print({k: v for k, v in [("a", 1)]})', '{"a": 1}'],
  ['keeps the variables of a comprehension inside', 'x = 1\ny = [x for x in [2]]\nprint(x, y)', '1 [2]'],
  ['reads the first source of a comprehension outside', 'x = [1]\nprint([x for x in x])', '[1]'],
  ['has conditional expressions', 'print(1 if [] else 2, 3 if "a" else 4)', '2 3'],
  ['gives the operand that decides', 'print(0 or "a", "" and 1, None or [], 1 and 2)', 'a  [] 2'],
  [
    'compares',
    'print(1 < 2, "a" < "b", [1, 2] < [1, 3], (1,) >= (1,), 1 == 1.0, 1 == "1", True == 1)',
    'True True True True True False False',
  ],
  [
    'tests membership',
    'print(1 in [1], "a" not in {"a": 1}, "b" in "abc", 3 in range(3), (1,) in [(1,)])',
    'True False True False True',
  ],
  ['binds not weaker than comparison', 'print(not 1 == 2, not not 1)', 'True True'],
  ['divides downwards', 'print(-7 // 2, -7 % 2, 7 // -2, 7 % -2, -6 // 2)', '-4 1 -4 -1 -3'],
  ['divides into floats', 'print(1 / 2, 4 / 2, -1.5 // 1, 5.5 % 2)', '0.5 2.0 -2.0 1.5'],
  [
    'works on the bits of negative numbers',
    'print(~5, -1 >> 1, 6 & -2, -8 | 3, -1 ^ 1, 1 << 10)',
    '-6 -1 6 -5 -2 1024',
  ],
  ['has integers of any size', 'print((1 << 70) + 1, 2 * -3, +4, - -5)', '1180591620717411303425 -6 4 5'],
  ['reads all kinds of numbers', 'print(0x1F, 0o17, 0b101, 1.5, .5, 1e3, 0)', '31 15 5 1.5 0.5 1000.0 0'],
  [
    'writes floats as floats',
    'print(1.0, 1e6, 100000.0, 1e-5, 0.0001, float("inf"))',
    '1.0 1e+06 100000.0 1e-05 0.0001 +inf',
  ],
  [
    'reads all kinds of quotes',
    `print('a"', "b'", '''c'd''', """e\nf""", r"\\d", r'\\'')`,
    "a\" b' c'd e\nf \\d \\'",
  ],
  ['reads escapes', 'print("a\\tb\\\\c\\x41\\101\\"\\\'")', 'a\tb\\cAA"\''],
  ['continues a line after a backslash', 'x = 1 + \\\n  2\nprint(x, "a\\\nb")', '3 ab'],
  ['continues a line within brackets', 'print([\n1,\n  2, # two\n\n3,\n])', '[1, 2, 3]'],
  ['takes several statements on a line', 'x = 1; y = 2; print(x, y);', '1 2'],
  ['takes tabs for indentation', 'if True:\n\tprint(1)\n\tprint(2)', '1\n2'],
  [
    'takes a file without a last line end',
    'def f():\n  if True:\n    return 1\nprint(f())\nif True:\n  pass',
    '1',
  ],
  [
    'takes a file that ends within a block',
    'def f():\n  if True:\n    print(1)\n\nif True:\n  if True:\n    f()\n',
    '1',
  ],
  ['takes comments after the last block', 'if True:\n  print(1)\n  # a\n# b', '1'],
  ['takes Windows line ends', 'if True:\r\n  print(1)\r\nprint(2)', '1\n2'],
  ['takes comments anywhere', '# a\ndef f():\n    # b\n  # c\n  return 1 # d\n# e\nprint(f())', '1'],
  [
    'slices',
    'x = [0, 1, 2, 3, 4]\nprint(x[1:3], x[-2:], x[::2], x[::-1], x[9:], "abc"[:-1], (1, 2)[:1])',
    '[1, 2] [3, 4] [0, 2, 4] [4, 3, 2, 1, 0] [] ab (1,)',
  ],
  [
    'indexes from both ends',
    'print([1, 2][-1], "abc"[0], (1, 2)[1], range(5, 9)[-1], {"a": 1}["a"])',
    '2 a 2 8 1',
  ],
  ['counts strings in bytes', 'print(len("é"), "aéb".find("b"), "aéb"[3:])', '2 3 b'],
  [
    'repeats and joins sequences',
    'print([1] + [2], (1,) + (2,), "a" + "b", [0] * 2, 2 * "ab", "x" * -1, (1,) * 2)',
    '[1, 2] (1, 2) ab [0, 0] abab  (1, 1)',
  ],
  [
    'formats by %',
    'print("%s %r %d %i %x %X %o %c %c %%" % ("a", "b", -5, 5, 255, 255, 8, 65, "z"))',
    'a "b" -5 5 ff FF 10 A z %',
  ],
  [
    'formats one value that is no tuple by %',
    'print("%s" % [1], "%d%%" % 5, "%s" % ((1, 2),))',
    '[1] 5% (1, 2)',
  ],
  ['formats by the names of a dict', 'print("%(a)s-%(b)d" % {"a": 1, "b": 2})', '1-2'],
  [
    'formats by fields',
    'print("{} {}".format(1, "a"), "{1}{0}".format(1, 2), "{x!r} {{}}".format(x="a"))',
    '1 a 21 "a" {}',
  ],
  [
    'writes strings as str and repr do',
    'print("a\\n", repr("a\\n\\"\'\\\\"), str(["a"]), str("a"), str(None))',
    'a\n "a\\n\\"\'\\\\" ["a"] a None',
  ],
  ['changes case', 'print("aB".upper(), "aB".lower(), "aB cD".title(), "aB".capitalize())', 'AB ab Ab Cd Ab'],
  [
    'searches strings',
    'print("abab".find("b"), "abab".rfind("b"), "ab".find("x"), "abab".index("a", 1), "abab".rindex("a"), "abab".count("ab"), "abc".find("c", 0, 2))',
    '1 3 -1 2 2 2 -1',
  ],
  [
    'asks about characters',
    'print("a1".isalnum(), "a1".isalpha(), "12".isdigit(), "ab".islower(), " ".isspace(), "Ab C".istitle(), "AB1".isupper(), "".isalpha())',
    'True False True True True True True False',
  ],
  [
    'splits at a separator',
    'print("a,b,,c".split(","), "a,b,c".split(",", 1), "a,b,c".rsplit(",", 1), "".split(","))',
    '["a", "b", "", "c"] ["a", "b,c"] ["a,b", "c"] [""]',
  ],
  [
    'splits at blanks',
    'print(" a  b c ".split(), " a  b c ".split(None, 1), " a  b c ".rsplit(None, 1), "".split())',
    '["a", "b", "c"] ["a", "b c "] [" a  b", "c"] []',
  ],
  [
    'splits lines',
    'print("a\\nb\\n\\nc\\n".splitlines(), "a\\nb".splitlines(True))',
    '["a", "b", "", "c"] ["a\\n", "b"]',
  ],
  [
    'strips',
    'print("[" + " a ".strip() + "|" + " a ".lstrip() + "|" + " a ".rstrip() + "|" + "xyaxy".strip("yx") + "]")',
    '[a|a | a|a]',
  ],
  [
    'parts strings',
    'print("a=b=c".partition("="), "a=b=c".rpartition("="), "a".partition("="), "a".rpartition("="))',
    '("a", "=", "b=c") ("a=b", "=", "c") ("a", "", "") ("", "", "a")',
  ],
  [
    'asks for starts and ends',
    'print("abc".startswith("ab"), "abc".endswith(("x", "c")), "abc".startswith("b", 1))',
    'True True True',
  ],
  [
    'replaces',
    'print("aaa".replace("a", "b"), "aaa".replace("a", "$&", 2), "ab".replace("", "-"))',
    'bbb $&$&a -a-b-',
  ],
  ['joins', 'print(",".join(["a", "b"]), "".join([]), "-".join(("a",)))', 'a,b  a'],
  [
    'takes strings apart',
    'print(list("ab".elems()), list("é".codepoints()), list("ab".elem_ords()), [c for c in "ab".elems()])',
    '["a", "b"] ["é"] [97, 98] ["a", "b"]',
  ],
  [
    'changes lists',
    'x = [1, 2]\nx.append(3)\nx.insert(0, 0)\nx.extend([4])\nx.remove(2)\nprint(x, x.pop(), x.pop(0), x.index(3), x)\nx.clear()\nprint(x)',
    '[1, 3] 4 0 1 [1, 3]\n[]',
  ],
  ['assigns to an element', 'x = [1, 2]\nx[-1] = 3\nprint(x)', '[1, 3]'],
  [
    'changes dicts',
    'd = {"a": 1}\nd["b"] = 2\nd.update([("c", 3)], d=4)\nprint(d, d.pop("a"), d.pop("x", 0), d.popitem(), d.setdefault("c", 9), d.setdefault("e", 5))\nprint(d)',
    '{"c": 3, "d": 4, "e": 5} 1 0 ("b", 2) 3 5\n{"c": 3, "d": 4, "e": 5}',
  ],
  [
    'reads dicts',
    'd = {"a": 1, "b": None}\nprint(d.get("a"), d.get("x"), d.get("x", 2), d.keys(), d.values(), d.items(), d["b"])',
    '1 None 2 ["a", "b"] [1, None] [("a", 1), ("b", None)] None',
  ],
  [
    'keeps the order in which keys came',
    'd = {"b": 1, "a": 2}\nd["b"] = 3\nprint(d, [k for k in d])',
    '{"b": 3, "a": 2} ["b", "a"]',
  ],
  [
    'has keys of several types',
    'print({1: "a", "1": "b", (1, "x"): "c", None: "d", True: "e"}[(1, "x")], {1: 2}[1.0])',
    'c 2',
  ],
  [
    'makes dicts',
    'print(dict(), dict([(1, 2)], a=3), dict({"a": 1}, b=2))',
    '{} {1: 2, "a": 3} {"a": 1, "b": 2}',
  ],
  [
    'names types',
    'print([type(x) for x in [None, True, 1, 1.5, "a", [], (), {}, range(1), len, lambda: 1, "a".elems()]])',
    '["NoneType", "bool", "int", "float", "string", "list", "tuple", "dict", "range", "builtin_function_or_method", "function", "string.elems"]',
  ],
  [
    'knows truth',
    'print([bool(x) for x in [None, 0, "", [], (), {}, 0.0, range(0), len, "0", [0]]])',
    '[False, False, False, False, False, False, False, False, True, True, True]',
  ],
  [
    'makes numbers of others',
    'print(int("12"), int("-0x1f", 16), int("0b11", 0), int(3.9), int(True), float("1.5"), float(2), int("z", 36))',
    '12 -31 3 3 1 1.5 2.0 35',
  ],
  [
    'has any, all, min, max and sorted',
    'print(any([0, 1]), all([0, 1]), min(3, 1), max(["a", "bb"], key=len), sorted([3, 1, 2]), sorted(["b", "C"], key=lambda s: s.lower(), reverse=True))',
    'True False 1 bb [1, 2, 3] ["C", "b"]',
  ],
  [
    'sorts stably',
    'print(sorted([(1, "b"), (0, "x"), (1, "a")], key=lambda p: p[0], reverse=True))',
    '[(1, "b"), (1, "a"), (0, "x")]',
  ],
  [
    'has enumerate, zip, reversed and range',
    'print(enumerate(["a"], 1), zip([1, 2], (3, 4)), reversed([1, 2]), list(range(5, 0, -2)), range(1, 4))',
    '[(1, "a")] [(1, 3), (2, 4)] [2, 1] [5, 3, 1] range(1, 4)',
  ],
  [
    'has chr, ord, hash, list, tuple, repr',
    'print(chr(65), ord("é"), hash("hello"), hash("👍"), list((1,)), tuple([1]), repr("a"))',
    'A 233 99162322 128077 [1] (1,) "a"',
  ],
  [
    'has getattr, hasattr and dir',
    'print(getattr("a", "upper")(), getattr("a", "x", 1), hasattr([], "append"), dir([]))',
    'A 1 True ["append", "clear", "extend", "index", "insert", "pop", "remove"]',
  ],
  [
    'names functions',
    'def f(): pass\nprint(f, len, "a".upper, lambda: 1)',
    '<function f> <built-in function len> <built-in method upper of string value> <function lambda>',
  ],
  ['separates what it prints', 'print(1, 2, sep="-")', '1-2'],
  ['writes a list that holds itself', 'x = [1]\nx.append(x)\nprint(x)', '[1, [...]]'],
  [
    'allows a change after a loop was left',
    'x = [1, 2]\nfor y in x:\n  break\nx.append(3)\nprint(x)',
    '[1, 2, 3]',
  ],
  ['lets a local shadow a global', 'x = 1\ndef f():\n  x = 2\n  return x\nprint(f(), x)', '2 1'],
  [
    'calls another function with the same name twice',
    'def f(g=None):\n  return g() if g else 1\ndef h(): return 2\nprint(f(h), f())',
    '2 1',
  ],
];

/** What is refused, the program, the line, and a part of the reason. */
const refused: readonly (readonly [string, string, number, string])[] = [
  ['f-strings', 'x = 1\nprint(f"{x}")', 2, "got string literal, want ','"],
  ['f-strings as a statement', 'x = f"a"', 1, 'got string literal, want newline'],
  ['bytes', 'x = b"a"', 1, 'got string literal, want newline'],
  ['while', 'x = 1\nwhile x:\n  x = 0', 2, 'does not support while loops'],
  ['class', 'class A:\n  pass', 1, 'illegal token'],
  ['is', 'x = 1 is None', 1, 'got illegal token, want newline'],
  ['import', 'import os', 1, 'illegal token'],
  ['from', 'from os import path', 1, 'illegal token'],
  ['try', 'try:\n  pass', 1, 'illegal token'],
  ['except', 'except:\n  pass', 1, 'illegal token'],
  ['finally', 'finally:\n  pass', 1, 'illegal token'],
  ['raise', 'def f():\n  raise 1', 2, 'illegal token'],
  ['with', 'with x as y:\n  pass', 1, 'illegal token'],
  ['yield', 'def f():\n  yield 1', 2, 'illegal token'],
  ['async', 'async def f():\n  pass', 1, 'got def, want newline'],
  ['await', 'def f(x):\n  await x', 2, 'got identifier, want newline'],
  ['global', 'def f():\n  global x', 2, 'illegal token'],
  ['nonlocal', 'def f():\n  nonlocal x', 2, 'illegal token'],
  ['del', 'x = 1\ndel x', 2, 'illegal token'],
  ['assert', 'assert True', 1, 'got identifier, want newline'],
  ['decorators', '@a\ndef f(): pass', 1, 'unexpected input character'],
  ['annotated parameters', 'def f(x: int): pass', 1, "got ':', want"],
  ['annotated results', 'def f() -> int: pass', 1, "got '-', want ':'"],
  ['annotated variables', 'x: int = 1', 1, "got ':', want newline"],
  ['the walrus', 'if (x := 1): pass', 1, "got ':', want ')'"],
  ['set literals', 'x = {1, 2}', 1, "got ',', want ':'"],
  ['set()', 'x = set([1])', 1, 'does not support sets'],
  ['powers', 'x = 2 ** 3', 1, "got '**', want newline"],
  ['chained comparison', 'x = 1 < 2 < 3', 1, '< does not associate with < (use parens)'],
  ['chained membership', 'x = 1 in [1] == True', 1, 'in does not associate with =='],
  ['the <> operator', 'x = 1 <> 2', 1, "got '>', want primary expression"],
  ['adjacent literals', 'x = "a" "b"', 1, 'got string literal, want newline'],
  ['adjacent literals within brackets', 'x = ["a"\n"b"]', 2, "got string literal, want ']'"],
  ['spreading in a list', 'x = [*[1]]', 1, "got '*', want primary expression"],
  ['spreading in a dict', 'x = {**{}}', 1, "got '**', want primary expression"],
  ['starred targets', 'a, *b = 1, 2', 1, "got '*', want primary expression"],
  ['generators', 'x = any(y for y in [1])', 1, "got for, want ','"],
  ['positional-only parameters', 'def f(a, /): pass', 1, 'not an identifier'],
  ['else after for', 'for x in []:\n  pass\nelse:\n  pass', 3, 'got else, want primary expression'],
  ['chained assignment', 'x = y = 1', 1, "got '=', want newline"],
  ['a bare tuple with a trailing comma', 'x = 1,', 1, 'unparenthesized tuple with trailing comma'],
  ['a conditional without else', 'x = 1 if True', 1, 'conditional expression without else clause'],
  ['old octal numbers', 'x = 0755', 1, 'obsolete form of octal literal; use 0o755'],
  ['numbers with underscores', 'x = 1_000', 1, 'got identifier, want newline'],
  ['unknown escapes', 'x = 1\ny = "a\\.b"', 2, 'invalid escape sequence \\.'],
  ['strings over a line end', 'x = "a\nb"', 1, 'unexpected newline in string'],
  ['strings without an end', 'x = """a\nb', 1, 'unexpected EOF in string'],
  ['question marks', 'x = a ? b', 1, 'unexpected input character'],
  ['exclamation marks', 'x = !a', 1, 'unexpected input character'],
  ['stray backslashes', 'x = 1 \\ + 2', 1, 'stray backslash in program'],
  ['a bracket too many', 'x = 1)', 1, "unexpected ')'"],
  ['indentation without a colon before', 'x = 1\n  y = 2', 2, 'got indent, want primary expression'],
  ['a block without indentation', 'def f():\nx = 1', 2, 'got identifier, want indent'],
  [
    'an unindent to nowhere',
    'if True:\n    x = 1\n  y = 2',
    3,
    'unindent does not match any outer indentation level',
  ],
  ['tabs that do not line up with blanks', 'if True:\n\tx = 1\n    y = 2', 3, 'unindent does not match'],
  ['an empty block', 'def f():\n  # nothing\nx = 1', 3, 'want indent'],
  ['a missing colon', 'if True\n  pass', 1, "got newline, want ':'"],
  ['undefined names', 'x = 1\nprint(y)', 2, 'undefined: y'],
  [
    'undefined names in functions never called',
    'def f():\n  return 1\ndef g():\n  return nothing',
    4,
    'undefined: nothing',
  ],
  ['undefined names in branches never taken', 'if False:\n  nothing()', 2, 'undefined: nothing'],
  ['undefined names in defaults', 'def f(x=nothing): pass', 1, 'undefined: nothing'],
  ['undefined names before anything runs', 'fail("ran")\nnothing()', 2, 'undefined: nothing'],
  ["Python's builtins that Starlark lacks", 'x = isinstance(1, int)', 1, 'undefined: isinstance'],
  ['round', 'x = round(1.5)', 1, 'undefined: round'],
  ['sum', 'x = sum([1])', 1, 'undefined: sum'],
  ['map', 'x = map(str, [1])', 1, 'undefined: map'],
  ['open', 'x = open("a")', 1, 'undefined: open'],
  ['exceptions', 'fail(ValueError("a"))', 1, 'undefined: ValueError'],
  ['globals used above their assignment', 'print(x)\nx = 1', 1, 'undefined: x'],
  [
    'globals used by a call above their assignment',
    'def f():\n  return x\nf()\nx = 1',
    2,
    'global variable x referenced before assignment',
  ],
  [
    'locals used above their assignment',
    'x = 1\ndef f():\n  print(x)\n  x = 2\nf()',
    3,
    'local variable x referenced before assignment',
  ],
  [
    'augmenting a global from a function',
    'x = 1\ndef f():\n  x += 1\nf()',
    3,
    'local variable x referenced before assignment',
  ],
  ['variables of a comprehension outside it', 'y = [x for x in [1]]\nprint(x)', 2, 'undefined: x'],
  ['return at the top', 'return 1', 1, 'return statement not within a function'],
  ['break outside a loop', 'if True:\n  break', 2, 'break not in a loop'],
  ['continue outside a loop', 'continue', 1, 'continue not in a loop'],
  ['load in a function', 'def f():\n  load("a", "b")', 2, 'load statement within a function'],
  ['load in a loop', 'for x in []:\n  load("a", "b")', 2, 'load statement within a loop'],
  ['load in a condition', 'if True:\n  load("a", "b")', 2, 'load statement within a conditional'],
  ['load of private names', 'load("a", "_b")', 1, 'names with leading underscores are not exported: _b'],
  ['load of nothing', 'load("a")', 1, 'load statement must import at least 1 symbol'],
  [
    'load by a variable',
    'x = "a"\nload(x, "b")',
    2,
    'first operand of load statement must be a string literal',
  ],
  ['load of a bare name', 'load("a", b)', 1, 'load operand must be "b" or b="originalname"'],
  ['duplicate parameters', 'def f(a, a): pass', 1, 'duplicate parameter: a'],
  [
    'required parameters after optional ones',
    'def f(a=1, b): pass',
    1,
    'required parameter may not follow optional',
  ],
  ['parameters after **kwargs', 'def f(**k, a): pass', 1, 'required parameter may not follow **k'],
  ['a bare star alone', 'def f(*): pass', 1, 'bare * must be followed by keyword-only parameters'],
  ['repeated keyword arguments', 'dict(a=1, a=2)', 1, 'keyword argument a repeated'],
  ['positional after keyword arguments', 'dict(a=1, [])', 1, 'positional argument may not follow named'],
  ['positional after *args', 'print(*[1], 2)', 1, 'positional argument may not follow *args'],
  ['keyword arguments after *args', 'print(*[1], sep="")', 1, 'keyword argument may not follow *args'],
  ['keyword arguments that are no names', 'dict("a"=1)', 1, 'keyword argument must have form name=expr'],
  ['assignment to a call', 'len("") = 1', 1, "can't assign to callexpr"],
  ['assignment to a literal', '1 = 2', 1, "can't assign to literal"],
  [
    'augmented assignment to a tuple',
    'a, b = 1, 2\na, b += 1',
    2,
    "can't use tuple expression in augmented assignment",
  ],
  ['recursion', 'def f(x):\n  return f(x)\nf(1)', 2, 'function f called recursively'],
  [
    'mutual recursion',
    'def f():\n  return g()\ndef g():\n  return f()\nf()',
    4,
    'function f called recursively',
  ],
  ['looping over a string', 'for c in "abc":\n  pass', 1, 'string value is not iterable'],
  ['looping over an int', 'for c in 3:\n  pass', 1, 'int value is not iterable'],
  ['looping over a string in a comprehension', 'x = [c for c in "abc"]', 1, 'string value is not iterable'],
  ['unpacking a string', 'a, b = "ab"', 1, 'got string in sequence assignment'],
  ['list of a string', 'x = list("abc")', 1, 'list: for parameter 1: got string, want iterable'],
  ['joining a string', 'x = ",".join("abc")', 1, 'join: for parameter 1: got string, want iterable'],
  ['unpacking too much', 'a, b = [1, 2, 3]', 1, 'too many values to unpack (got 3, want 2)'],
  ['unpacking too little', 'a, b = [1]', 1, 'too few values to unpack (got 1, want 2)'],
  ['assignment into a string', 'x = "abc"\nx[0] = "d"', 2, 'string value does not support item assignment'],
  ['assignment into a tuple', 'x = (1,)\nx[0] = 2', 2, 'tuple value does not support item assignment'],
  ['assignment to an attribute', 'x = []\nx.y = 1', 2, "can't assign to .y field of list"],
  ['list + tuple', 'x = [1] + (2,)', 1, 'unknown binary op: list + tuple'],
  ['string + int', 'x = "a" + 1', 1, 'unknown binary op: string + int'],
  ['string += int', 'x = "a"\nx += 1', 2, 'unknown binary op: string + int'],
  ['dict + dict', 'x = {} + {}', 1, 'unknown binary op: dict + dict'],
  ['None + list', 'x = None + []', 1, 'unknown binary op: NoneType + list'],
  ['adding truth values', 'x = True + 1', 1, 'unknown binary op: bool + int'],
  ['negating a string', 'x = -"a"', 1, 'unknown unary op: - string'],
  ['ordering values of several types', 'x = 1 < "a"', 1, 'int < string not implemented'],
  ['ordering None', 'x = None < None', 1, 'NoneType < NoneType not implemented'],
  ['ordering dicts', 'x = {} < {}', 1, 'dict < dict not implemented'],
  ['sorting values of several types', 'x = sorted([1, "a"])', 1, 'not implemented'],
  ['int in string', 'x = 1 in "a1"', 1, "'in <string>' requires string as left operand, not int"],
  ['membership of an int', 'x = 1 in 2', 1, 'unknown binary op: int in int'],
  ['division by zero', 'x = 1 // 0', 1, 'floored division by zero'],
  ['remainder of zero', 'x = 1 % 0', 1, 'integer modulo by zero'],
  ['float division by zero', 'x = 1 / 0', 1, 'floating-point division by zero'],
  ['shifting by a negative count', 'x = 1 << -1', 1, 'negative shift count: -1'],
  ['calling what is no function', 'x = 1\nx()', 2, 'invalid call of non-function (int)'],
  ['missing arguments', 'def f(a, b): pass\nf(1)', 1, 'function f missing 1 argument (b)'],
  ['missing keyword-only arguments', 'def f(*, a, b): pass\nf()', 1, 'function f missing 2 arguments (a, b)'],
  [
    'unexpected keyword arguments',
    'def f(a): pass\nf(1, b=2)',
    1,
    'function f got an unexpected keyword argument "b"',
  ],
  ['too many arguments', 'def f(a): pass\nf(1, 2)', 1, 'function f accepts 1 positional argument (2 given)'],
  [
    'too many arguments with defaults',
    'def f(a, b=1): pass\nf(1, 2, 3)',
    1,
    'function f accepts at most 2 positional arguments (3 given)',
  ],
  [
    'arguments where there are no parameters',
    'def f(): pass\nf(1)',
    1,
    'function f accepts no arguments (1 given)',
  ],
  [
    'an argument given twice',
    'def f(a): pass\nf(1, a=2)',
    1,
    'function f got multiple values for parameter "a"',
  ],
  [
    'a keyword argument given twice through **',
    'def f(a): pass\nf(a=1, **{"a": 2})',
    2,
    'function f got multiple values for parameter "a"',
  ],
  ['spreading a string', 'print(*"ab")', 1, 'argument after * must be iterable, not string'],
  ['spreading a list as keywords', 'print(**[])', 1, 'argument after ** must be a mapping, not list'],
  ['keywords that are no strings', 'dict(**{1: 2})', 1, 'keywords must be strings, not int'],
  ['unknown methods of strings', 'x = "a".encode()', 1, 'string has no .encode field or method'],
  ['unknown methods of lists', 'x = [].sort()', 1, 'list has no .sort field or method'],
  ['unknown methods of dicts', 'x = {}.iteritems()', 1, 'dict has no .iteritems field or method'],
  [
    'attributes of functions',
    'def f(): pass\nx = f.__name__',
    2,
    'function has no .__name__ field or method',
  ],
  [
    'methods named like those of objects',
    'x = "a".constructor',
    1,
    'string has no .constructor field or method',
  ],
  ['missing keys', 'd = {"a": 1}\nx = d["b"]', 2, 'key "b" not in dict'],
  ['indices out of range', 'x = [1][1]', 1, 'list index 1 out of range [-1:0]'],
  ['indices into nothing', 'x = [][0]', 1, 'index 0 out of range: empty list'],
  ['indices that are no ints', 'x = [1]["a"]', 1, 'list index: got string, want int'],
  ['indexing an int', 'x = 1[0]', 1, 'unhandled index operation int[int]'],
  ['slicing a dict', 'x = {}[1:]', 1, 'invalid slice operand dict'],
  ['duplicate keys', 'x = {"a": 1,\n  "a": 2}', 2, 'duplicate key: "a"'],
  ['lists as keys', 'x = {[1]: 2}', 1, 'unhashable type: list'],
  ['dicts within tuples as keys', 'x = {({},): 2}', 1, 'unhashable type: dict'],
  ['length of an int', 'x = len(1)', 1, 'len: value of type int has no len'],
  ['length of None', 'x = len(None)', 1, 'len: value of type NoneType has no len'],
  ['too few arguments of a builtin', 'x = len()', 1, 'len: got 0 arguments, want 1'],
  ['keyword arguments of a builtin that has none', 'x = len(x=1)', 1, 'len: unexpected keyword arguments'],
  [
    'unknown keyword arguments of a builtin',
    'print(1, end="")',
    1,
    'print: unexpected keyword argument "end"',
  ],
  ['no number', 'x = int("a")', 1, 'int: invalid literal with base 10: a'],
  ['a number with a fraction as int', 'x = int("1.5")', 1, 'int: invalid literal with base 10: 1.5'],
  ['int of None', 'x = int(None)', 1, 'int: cannot convert NoneType to int'],
  ['the smallest of nothing', 'x = min([])', 1, 'min: argument is an empty sequence'],
  ['joining what are no strings', 'x = ",".join(["a", 1])', 1, 'join: in list, want string, got int'],
  ['an empty separator', 'x = "a".split("")', 1, 'split: empty separator'],
  ['replacing by an int', 'x = "a".replace("a", 1)', 1, 'replace: for parameter 2: got int, want string'],
  [
    'starts that are no strings',
    'x = "a".startswith(1)',
    1,
    'startswith: got int, want string or tuple of string',
  ],
  ['strings that are not found', 'x = "a".index("b")', 1, 'index: substring not found'],
  ['values that are not found', 'x = [1].index(2)', 1, 'index: value not in list'],
  ['removing what is not there', '[1].remove(2)', 1, 'remove: element not found'],
  ['pop of an empty list', '[].pop()', 1, 'pop: index -1 out of range: empty list'],
  ['pop of a missing key', '{}.pop("a")', 1, 'pop: missing key'],
  ['too few values to format', 'x = "%s %s" % "a"', 1, 'not enough arguments for format string'],
  ['too many values to format', 'x = "%s" % (1, 2)', 1, 'too many arguments for format string'],
  ['widths in a format', 'x = "%5d" % 1', 1, 'unknown conversion %5'],
  ['a string formatted as an int', 'x = "%d" % "1"', 1, '%d format requires integer'],
  ['fields without a value', 'x = "{}".format()', 1, 'format: tuple index out of range'],
  ['fields without a name', 'x = "{a}".format(b=1)', 1, 'format: keyword a not found'],
  ['attributes in fields', 'x = "{a.b}".format(a=1)', 1, 'attribute syntax x.y is not supported'],
  ['widths in fields', 'x = "{:5}".format(1)', 1, 'format spec features not supported'],
  [
    'a list changed while looped over',
    'x = [1]\nfor y in x:\n  x.append(y)',
    3,
    'append: cannot append to list during iteration',
  ],
  [
    'a dict changed while looped over',
    'd = {1: 2}\nfor k in d:\n  d[2] = 3',
    3,
    'cannot insert into hash table during iteration',
  ],
  [
    'a dict shrunk while looped over',
    'd = {1: 2}\nfor k in d:\n  d.pop(k)',
    3,
    'pop: cannot delete from hash table during iteration',
  ],
  ['fail', 'def f():\n  fail("no", 1)\nf()', 2, 'fail: no 1'],
  ['a step of zero', 'x = range(1, 2, 0)', 1, 'range: step argument must not be zero'],
];

describe('execute', () => {
  for (const [does, source, printed] of accepted) {
    it(does, () => expect(run(source)).to.equal(printed));
  }

  for (const [what, source, line, reason] of refused) {
    it(`refuses ${what}`, () => {
      const error = refusalOf(() => run(source));
      expect(error.reason).to.contain(reason);
      expect(error).to.include({file: 'Tiltfile', line});
      expect(error.message).to.equal(`Tiltfile:${line}:${error.column}: ${error.reason}`);
    });
  }

  // Newer than the starlark-go of Debian, which is what the tables above were compared with.
  for (const [source, printed] of [
    [
      'print("prefix".removeprefix("pre"), "name.go".removesuffix(".go"), "a".removeprefix("b"))',
      'fix name a',
    ],
    ['print({"a": 1, "b": 1} | {"b": 2})', '{"a": 1, "b": 2}'],
    ['d = {"a": 1}\ne = d\nd |= {"b": 2}\nprint(e)', '{"a": 1, "b": 2}'],
    ['print(abs(-3), abs(1.5))', '3 1.5'],
    ['print("\\u00e9\\U0001F44D")', 'é👍'],
  ] as const) {
    it(`runs ${JSON.stringify(source)}`, () => expect(run(source)).to.equal(printed));
  }

  it('refuses escapes that are no characters', () => {
    expect(refusalOf(() => run('x = "\\xff"')).reason).to.contain('non-ASCII hex escape');
  });

  it('gives the globals, and neither loaded names nor those of comprehensions', () => {
    const globals = execute('load("a", "b")\nx = [y for y in [b]]\n_z = 1', {
      filename: 'Tiltfile',
      load: () => ({b: 'c'}),
    });
    expect(Object.keys(globals)).to.deep.equal(['x', '_z']);
    expect(toJs(globals.x ?? null)).to.deep.equal(['c']);
  });

  it('knows columns, and the calls that were under way', () => {
    const error = refusalOf(() => run('def f(x):\n  return [1, x.y]\ndef g():\n  f("a")\nif True:\n  g()'));
    expect(error).to.include({line: 2, column: 15});
    expect(error.backtrace).to.equal('Tiltfile:6:4: in <toplevel>\nTiltfile:4:4: in g\nTiltfile:2:15: in f');
  });

  it('runs nothing of a file that names what is undefined', () => {
    const lines: string[] = [];
    const print = (line: string): void => void lines.push(line);
    refusalOf(() => execute('print(1)\ndef f(): return x', {filename: 'Tiltfile', print}));
    expect(lines).to.deep.equal([]);
  });
});

describe('execute with load', () => {
  const other = {greet: builtin('greet', ({positional}) => `hi ${positional[0]}`), one: 1n};
  const load = (name: string): Record<string, StarlarkValue> => {
    if (name !== 'ext://other') throw new Error('no such file');
    return other;
  };
  const runLoading = (source: string): string => {
    const lines: string[] = [];
    execute(source, {filename: 'Tiltfile', load, print: (line) => lines.push(line)});
    return lines.join('\n');
  };

  it('binds names, also under others', () => {
    expect(runLoading('load("ext://other", "greet", uno="one",)\nprint(greet("x"), uno)')).to.equal('hi x 1');
  });

  for (const [what, source, reason] of [
    [
      'names that the file does not have',
      'load("ext://other", "two")',
      'load: name two not found in module ext://other',
    ],
    ['files that are not there', 'load("nothing", "a")', 'cannot load nothing: no such file'],
    ['names that are used above', 'greet("x")\nload("ext://other", "greet")', 'undefined: greet'],
  ] as const) {
    it(`refuses ${what}`, () => expect(refusalOf(() => runLoading(source)).reason).to.equal(reason));
  }

  it('is refused without a way to load', () => {
    expect(refusalOf(() => run('load("a", "b")')).reason).to.equal(
      'load not implemented by this application',
    );
  });
});

describe('globals after their file has run', () => {
  const globals = execute(
    [
      'items = [1]',
      'table = {"a": [1]}',
      'def add(): items.append(2)',
      'def set(): table["b"] = 1',
      'def deep(): table["a"].append(2)',
      'def fall(x=[]): x.append(1)',
      'def make():',
      '  kept = []',
      '  def inner(): kept.append(1)',
      '  return inner',
      'closed = make()',
      'def own():',
      '  x = []',
      '  x.append(1)',
      '  return x',
      'def assign(): items[0] = 2',
      'def extend():',
      '  local = items',
      '  local += [1]',
    ].join('\n'),
    {filename: 'Tiltfile'},
  );

  for (const [name, reason] of [
    ['add', 'append: cannot append to frozen list'],
    ['set', 'cannot insert into frozen hash table'],
    ['deep', 'append: cannot append to frozen list'],
    ['fall', 'append: cannot append to frozen list'],
    ['closed', 'append: cannot append to frozen list'],
    ['assign', 'cannot assign to element of frozen list'],
    ['extend', 'cannot apply += to frozen list'],
  ] as const) {
    it(`are frozen for ${name}()`, () => {
      expect(refusalOf(() => callFunction(globals[name] ?? null)).reason).to.equal(reason);
    });
  }

  it('leave what functions make to be changed', () => {
    expect(toJs(callFunction(globals.own ?? null))).to.deep.equal([1]);
  });
});

describe('callFunction', () => {
  const {f = null} = execute('def f(a, b=2, *c, **d): return [a, b, c, d]', {filename: 'Tiltfile'});

  it('passes arguments and gives the result', () => {
    const named = new Map([['x', 'y' as StarlarkValue]]);
    expect(toJs(callFunction(f, {positional: [1n, 3n, 4n], named}))).to.deep.equal([1, 3, [4], {x: 'y'}]);
  });

  it('refuses what Starlark would', () => {
    expect(refusalOf(() => callFunction(f)).reason).to.equal('function f missing 1 argument (a)');
  });
});

describe('builtin', () => {
  const image = builtin('image', (call) => {
    const {
      ref,
      deps = null,
      only,
    } = takeArguments('image', call, {ref: 'string', deps: 'list?', only: 'any?'});
    if (ref === '') throw new Error('image: empty ref');
    return fromJs([ref, toJs(deps), only === undefined]);
  });

  for (const [source, printed] of [
    ['print(image("a"))', '["a", None, True]'],
    ['print(image("a", ["b"]))', '["a", ["b"], True]'],
    ['print(image(deps=[1], ref="a", only=None))', '["a", [1], False]'],
    ['print(image, type(image))', '<built-in function image> builtin_function_or_method'],
  ] as const) {
    it(`runs ${source}`, () => expect(run(source, {image})).to.equal(printed));
  }

  for (const [source, reason] of [
    ['image()', 'image: missing argument for ref'],
    ['image(1)', 'image: for parameter ref: got int, want string'],
    ['image("a", only=1, onyl=2)', 'image: unexpected keyword argument "onyl"'],
    ['image("a", ref="b")', 'image: got multiple values for keyword argument "ref"'],
    ['image("a", [], 1, 2)', 'image: got 4 arguments, want at most 3'],
    ['image("a", "b")', 'image: for parameter deps: got string, want list'],
    ['image("")', 'image: empty ref'],
  ] as const) {
    it(`refuses ${source}`, () => {
      const error = refusalOf(() => run(source, {image}));
      expect(error).to.include({reason, file: 'Tiltfile', line: 1, column: 6});
    });
  }

  it('keeps what the host threw as the cause', () => {
    expect(refusalOf(() => run('image("")', {image})).cause)
      .to.be.an('error')
      .with.property('message');
  });

  it('gives None for undefined, and may call back', () => {
    const seen: unknown[] = [];
    const each = builtin('each', ({positional: [fn = null]}) => {
      seen.push(toJs(callFunction(fn, {positional: [2n]})));
      return undefined;
    });
    expect(run('def double(x): return 2 * x\nprint(each(double))', {each})).to.equal('None');
    expect(seen).to.deep.equal([4]);
  });
});

describe('module and mapping', () => {
  const setUp = (): {environment: Map<string, string>; os: StarlarkValue} => {
    const environment = new Map([['HOME', '/root']]);
    const os = module('os', {
      environ: mapping('environ', environment),
      getcwd: builtin('getcwd', () => '/work'),
    });
    return {environment, os};
  };

  for (const [source, printed] of [
    ['print(os.getcwd(), os, type(os))', '/work [module: os] module'],
    ['print(os.environ.get("HOME"), os.environ.get("X"), os.environ.get("X", "y"))', '/root None y'],
    ['print(os.environ["HOME"], "HOME" in os.environ, "X" not in os.environ)', '/root True True'],
    [
      'os.environ["A"] = "b"\nprint(os.environ, len(os.environ), os.environ.keys())',
      '{"HOME": "/root", "A": "b"} 2 ["HOME", "A"]',
    ],
    [
      'print(dict(os.environ), [k for k in os.environ], os.environ.items())',
      '{"HOME": "/root"} ["HOME"] [("HOME", "/root")]',
    ],
    ['print(os.environ.pop("HOME"), bool(os.environ), type(os.environ))', '/root False environ'],
    [
      'print(hasattr(os, "environ"), hasattr(os, "x"), getattr(os, "x", 1), dir(os))',
      'True False 1 ["environ", "getcwd"]',
    ],
  ] as const) {
    it(`runs ${source}`, () => expect(run(source, {os: setUp().os})).to.equal(printed));
  }

  for (const [source, reason] of [
    ['os.path', 'module has no .path field or method'],
    ['os.getcwd = 1', "can't assign to .getcwd field of module"],
    ['os["environ"]', 'unhandled index operation module[string]'],
    ['os.environ["X"]', 'key "X" not in environ'],
    ['os.environ["X"] = 1', 'environ value must be a string, not int'],
    ['os.environ.getenv("X")', 'environ has no .getenv field or method'],
    ['{os: 1}', 'unhashable type: module'],
  ] as const) {
    it(`refuses ${source}`, () => {
      expect(refusalOf(() => run(source, {os: setUp().os})).reason).to.equal(reason);
    });
  }

  it('sets entries with the host', () => {
    const {environment, os} = setUp();
    run('os.environ["A"] = "b"', {os});
    expect([...environment]).to.deep.equal([
      ['HOME', '/root'],
      ['A', 'b'],
    ]);
  });

  it('lets the host have values of its own', () => {
    const blob = opaque('blob', 'text', {a: 1});
    expect(run('print(str(blob), type(blob), [blob])', {blob})).to.equal('text blob [text]');
    expect(toJs(blob)).to.deep.equal({a: 1});
    expect(refusalOf(() => run('blob + "a"', {blob})).reason).to.equal('unknown binary op: blob + string');
  });
});

describe('fromJs and toJs', () => {
  for (const value of [
    null,
    true,
    0,
    -7,
    1.5,
    'a',
    [],
    ['a', [1]],
    {},
    {a: {b: [null]}},
    new Map([[1, 'a']]),
  ]) {
    it(`bring back ${value instanceof Map ? 'a map' : JSON.stringify(value)}`, () => {
      expect(toJs(fromJs(value))).to.deep.equal(value);
    });
  }

  it('make an int of a whole number, and None of undefined', () => {
    expect(run('print(type(a), type(b), c)', {a: fromJs(1), b: fromJs(1.5), c: fromJs(undefined)})).to.equal(
      'int float None',
    );
  });

  it('keep an int that is no safe number', () => expect(toJs(1n << 70n)).to.equal(1n << 70n));

  it('make an array of a tuple', () =>
    expect(toJs(execute('x = (1, "a")', {filename: 'a'}).x ?? null)).to.deep.equal([1, 'a']));

  it('refuse functions of the host', () =>
    expect(() => fromJs(() => 1)).to.throw('Starlark has no function'));
});
