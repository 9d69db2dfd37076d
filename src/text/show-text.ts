/**
 * Owns how a text is shown, whoever wrote it: without its secrets, and with its control characters as escapes. Names in
 * a kubeconfig, messages of a server and lines of other programs must not move the cursor, reverse what is read, or
 * look like lines of ours. Every renderer shows its texts through this file.
 */
import {maskText} from './mask-secrets.ts';

/** C0, DEL and C1; marks without a width, which may reverse a text; line separators; halves of a character. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** On lines of their own, all but the first behind `indent`. */
export function showText(text: string, indent = ''): string {
  return maskText(text).split(/\r?\n/).map(escapeControls).join(`\n${indent}`);
}

/** On one line: for a cell of a table, or part of a line. */
export function showLine(text: string): string {
  return escapeControls(maskText(text));
}

export function hasControls(text: string): boolean {
  return text.search(CONTROL) >= 0;
}

/** `\n`, `\x1b`, `\u202e`, `\u{e0001}`. */
export function escapeControls(text: string): string {
  return text.replace(CONTROL, (character) => NAMED[character] ?? escapeCode(character.codePointAt(0) ?? 0));
}

/** One line of JSON: the same characters, and no secret. */
export function formatJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, part) => (typeof part === 'string' ? maskText(part) : part));
  // JSON.stringify leaves what only looks like nothing.
  const escaped = text.replace(CONTROL, (character) =>
    character
      .split('')
      .map((unit) => `\\u${hex(unit.charCodeAt(0), 4)}`)
      .join(''),
  );
  return `${escaped}\n`;
}

const NAMED: Readonly<Record<string, string>> = {'\n': '\\n', '\r': '\\r', '\t': '\\t'};

function escapeCode(code: number): string {
  if (code <= 0xff) return `\\x${hex(code, 2)}`;
  return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 0)}}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
