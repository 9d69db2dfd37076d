/** Owns sets of code points: what one place of a file name may be. */

/** Sorted, apart from each other, both ends included. */
export type CodePoints = readonly (readonly [low: number, high: number])[];

/** What a file name may hold: no NUL, no slash, no half of a surrogate pair. */
export const NAME_POINTS: CodePoints = [
  [0x01, 0x2e],
  [0x30, 0xd7ff],
  [0xe000, 0x10ffff],
];

export function pointsOf(text: string): CodePoints {
  return [...text].map((char) => [codePoint(char), codePoint(char)] as const);
}

export function codePoint(char: string): number {
  return char.codePointAt(0) as number;
}

/** The one member of a set that has only one. */
export function onlyMember(points: CodePoints): string | undefined {
  const [first] = points;
  return points.length === 1 && first && first[0] === first[1] ? String.fromCodePoint(first[0]) : undefined;
}

export function joinPoints(points: CodePoints): CodePoints {
  const joined: (readonly [number, number])[] = [];
  for (const range of points.toSorted((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && range[0] <= last[1] + 1) joined[joined.length - 1] = [last[0], Math.max(last[1], range[1])];
    else joined.push(range);
  }
  return joined;
}

export function intersectPoints(a: CodePoints, b: CodePoints): CodePoints {
  return a.flatMap(([lowA, highA]) =>
    b
      .map(([lowB, highB]) => [Math.max(lowA, lowB), Math.min(highA, highB)] as const)
      .filter(([low, high]) => low <= high),
  );
}

/** All of the first set that is not in the second. */
export function subtractPoints(from: CodePoints, points: CodePoints): CodePoints {
  return points.reduce<CodePoints>(
    (rest, [low, high]) =>
      intersectPoints(rest, [
        [0, low - 1],
        [high + 1, 0x10ffff],
      ]),
    from,
  );
}

export function hasPoint(points: CodePoints, point: number): boolean {
  return points.some(([low, high]) => low <= point && point <= high);
}

export function equalPoints(a: CodePoints, b: CodePoints): boolean {
  return subtractPoints(a, b).length === 0 && subtractPoints(b, a).length === 0;
}
