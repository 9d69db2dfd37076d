/** Owns the links of pages that leave the repository without the others: they lead to its release on the web. */

interface Package {
  readonly homepage: string;
  readonly version: string;
}

/** Links to files and images become absolute. Those to headings of the page itself stay. */
export function linkToWeb(page: string, {homepage, version}: Package): string {
  return page.replaceAll(/(!?)(\[[^\]]*\])\((?!https?:|#)([^)\s]+)\)/g, (_, image, text, target) => {
    const kind = image === '' ? 'blob' : 'raw';
    return `${image}${text}(${homepage}/${kind}/v${version}/${target})`;
  });
}
