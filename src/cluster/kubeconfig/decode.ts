/** Owns what a kubeconfig file may hold as bytes and characters, by the reader of go-yaml, which kubectl uses. */
import {type Document, isCollection, isScalar, Scalar, visit} from 'yaml';

/** UTF-8, or UTF-16 with a byte order mark. Undefined for what is neither. */
export function decodeKubeconfig(bytes: Uint8Array): string | undefined {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, {fatal: true, ignoreBOM: false}).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Where a character is that may not stand in YAML, not even in a comment. */
export function findControlCharacter(text: string): number | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  const at = text.search(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/);
  return at === -1 ? undefined : at;
}

/** Where a line begins with a tab outside quotes and brackets: go-yaml also refuses it in an empty line or a comment. */
export function findLeadingTab(text: string, document: Document | undefined): number | undefined {
  const end = document?.range?.[2] ?? text.length;
  const tabs = [...text.slice(0, end).matchAll(/^\t/gm)].map(({index}) => index);
  if (tabs.length === 0) return undefined;
  const allowed: (readonly [start: number, end: number])[] = [];
  visit(document ?? null, {
    Node: (_key, node) => {
      const quoted =
        isScalar(node) && (node.type === Scalar.QUOTE_DOUBLE || node.type === Scalar.QUOTE_SINGLE);
      if ((quoted || (isCollection(node) && node.flow)) && node.range)
        allowed.push([node.range[0], node.range[1]]);
    },
  });
  return tabs.find((at) => !allowed.some(([start, end]) => start < at && at < end));
}
