/** Owns questions about the characters of strings, and changes between upper and lower case. */

const cased = /[\p{Ll}\p{Lu}\p{Lt}]/u;

export function isEach(text: string, pattern: RegExp): boolean {
  return text !== '' && [...text].every((char) => pattern.test(char));
}

export function isLower(text: string): boolean {
  return cased.test(text) && text === text.toLowerCase();
}

export function isUpper(text: string): boolean {
  return cased.test(text) && text === text.toUpperCase();
}

export function isTitle(text: string): boolean {
  return cased.test(text) && text === toTitle(text);
}

export function toTitle(text: string): string {
  let after = false;
  return [...text]
    .map((char) => {
      const changed = after ? char.toLowerCase() : char.toUpperCase();
      after = cased.test(char);
      return changed;
    })
    .join('');
}

export function capitalize(text: string): string {
  const [first = '', ...rest] = text;
  return first.toUpperCase() + rest.join('').toLowerCase();
}
