"""Owns what MicroPython lacks to be Starlark: its names and methods, and what rewritten source calls, such as __iterate."""
import json
from collections import OrderedDict


class Opaque:
    """A value of a type that only Tilt has, as a blob, or that can only be looped over."""

    def __init__(self, kind, content):
        self.kind, self.content = kind, content

    def __bool__(self):
        return bool(self.content)

    def __repr__(self):
        """Is what json.dumps() makes of it."""
        return json.dumps(self.content)


def refuse(message):
    raise ValueError(message)


def kind_of(value):
    name = type(value).__name__
    return value.kind if isinstance(value, Opaque) else {'str': 'string', 'OrderedDict': 'dict'}.get(name, name)


def to_text(value):
    return value if isinstance(value, str) else represent(value)


def represent(value):
    kind = kind_of(value)
    if kind == 'dict':
        return '{%s}' % ', '.join([represent(key) + ': ' + represent(item) for key, item in value.items()])
    if kind in ('list', 'tuple'):
        items = ', '.join([represent(item) for item in value])
        return '[%s]' % items if kind == 'list' else '(%s%s)' % (items, ',' * (len(value) == 1))
    if kind == 'string':
        return json.dumps(value)
    return to_text(value.content) if isinstance(value, Opaque) else str(value)


def iterate(value):
    """The items of what Starlark loops over, which a string is not. The loop must not change it."""
    items = value.content if isinstance(value, Opaque) else value
    if not isinstance(items, (list, tuple, dict, range)):
        refuse('%s value is not iterable' % kind_of(value))
    size = len(items)
    for item in items:
        yield item
        if len(items) != size:
            refuse('%s changed during iteration' % kind_of(value))


def attribute(value, name):
    methods = METHODS.get(kind_of(value), {})
    if name not in methods:
        refuse('%s has no .%s field or method' % (kind_of(value), name))
    return lambda *args: methods[name](value, *args)


def make_dict(entries):
    """In the order of the entries, which a plain dict does not keep here. Behind a last comma there is an empty one."""
    made = OrderedDict()
    for key, value in filter(None, entries):
        made[key] = refuse('duplicate key: ' + represent(key)) if key in made else value
    return made


def modulo(template, value):
    if not isinstance(template, str):
        return template % value
    values = list(value) if isinstance(value, tuple) else [value]
    text, *rest = template.replace('%%', '\0').split('%')
    for piece in rest:
        text += CONVERSIONS[piece[0]](values.pop(0)) + piece[1:]
    return refuse('too many arguments for format string') if values else text.replace('\0', '%')


def java_hash(text):
    value = 0
    for character in text:
        value = (31 * value + ord(character)) & 0xffffffff
    return value - (value >> 31 << 32)


CONVERSIONS = {'s': to_text, 'r': represent, 'd': lambda value: '%d' % value, 'x': lambda value: '%x' % value}
METHODS = {
    'string': {
        'codepoints': lambda text: Opaque('string.codepoints', list(text)),
        'isalnum': lambda text: text != '' and all([c.isalpha() or c.isdigit() for c in text]),
        'join': lambda text, items: text.join(iterate(items)),
        'splitlines': lambda text: (text[:-1] if text.endswith('\n') else text).split('\n') if text else [],
    },
    'list': {'append': list.append, 'extend': lambda items, more: items.extend(iterate(more))},
    'dict': {
        'get': dict.get,
        'items': lambda entries: list(entries.items()),
        'keys': lambda entries: list(entries.keys()),
        'values': lambda entries: list(entries.values()),
    },
}
for method in 'endswith isdigit lower replace rsplit split startswith strip upper'.split():
    METHODS['string'][method] = getattr(str, method)
NAMES = {
    'fail': lambda *words: refuse('fail: ' + ' '.join([to_text(word) for word in words])),
    'bool': bool, 'hash': java_hash, 'len': len, 'range': range, 'repr': represent, 'str': to_text, 'type': kind_of,
    'list': lambda items: list(iterate(items)), 'tuple': lambda items: tuple(iterate(items)),
    '__addend': lambda target, value: list(iterate(value)) if isinstance(target, list) else value,
    '__attribute': attribute, '__dict': make_dict, '__iterate': iterate, '__keep': lambda value: keep(value),
    '__modulo': modulo, '__reversed': lambda text: ''.join(reversed(text)),
}
NAMES['__names'] = NAMES
GLOBALS, KEPT, VALUES, MISSING = {}, [], {}, Opaque('nothing', None)


def keep(value):
    """A default, and a global once its file has run, are frozen in Starlark; here they are looked at again at the end."""
    if kind_of(value) in ('list', 'dict'):
        KEPT.append((value, represent(value)))
    return value


def builtin(name, parameters, host):
    types = [parameter.split(':') for parameter in parameters.split()]

    def call(*values):
        given = []
        for (key, want), value in zip(types, values):
            if value is MISSING or value is None and '??' in want:
                continue
            if want.rstrip('?') not in ('any', kind_of(value)):
                refuse('%s: for parameter %s: got %s, want %s' % (name, key, kind_of(value), want))
            given.append([key, value])
        (answer,) = json.loads(host(name, json.dumps(given)))
        return Opaque(**answer) if isinstance(answer, dict) else answer
    signature = ', '.join([key + '=missing' * ('?' in want) for key, want in types])
    words = ', '.join([key for key, _ in types])
    return eval('lambda %s: call(%s)' % (signature, words), {'call': call, 'missing': MISSING})


def start(builtins, values, host):
    """Gives all names that a file may use."""
    VALUES.update(json.loads(values))
    NAMES.update(VALUES)
    NAMES.update({name: builtin(name, parameters, host) for name, (parameters, _) in json.loads(builtins).items()})
    return json.dumps(list(NAMES))


def run(source, filename, loaded):
    """What it loads is of the file that was run before."""
    global GLOBALS
    GLOBALS = dict(NAMES, **{name: GLOBALS[name] for name in loaded.split()})
    exec(compile(source, filename, 'exec'), GLOBALS)
    for name in GLOBALS:
        if name not in NAMES:
            keep(GLOBALS[name])


def finish():
    """Gives the declared values as they are by then."""
    for value, before in KEPT:
        if represent(value) != before:
            refuse('changed a frozen %s: %s' % (kind_of(value), before))
    return json.dumps(VALUES)
