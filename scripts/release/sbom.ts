/** Owns the software bill of materials: CycloneDX JSON, reproducible from the source. */
import {Enums, Models, Serialize, Spec} from '@cyclonedx/cyclonedx-library';
import type {BundledPackage} from './bundled-packages.ts';

export interface Described {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
}

/** Without the optional timestamp and serial number, which would differ between runs. */
export function formatSbom(own: Described, packages: readonly BundledPackage[], bunVersion: string): string {
  const program = component(own.name, own.version, own.license, Enums.ComponentType.Application);
  program.description = own.description;
  const bun = component('bun', bunVersion, 'MIT', Enums.ComponentType.Platform);
  const bundled = packages.map(({name, version, licence}) =>
    component(name, version, licence, Enums.ComponentType.Library),
  );
  for (const part of [bun, ...bundled]) program.dependencies.add(part.bomRef);

  const bom = new Models.Bom();
  bom.metadata.component = program;
  for (const part of [bun, ...bundled]) bom.components.add(part);
  const factory = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  const text = new Serialize.JsonSerializer(factory).serialize(bom, {sortLists: true, space: 2});
  return `${text}\n`;
}

function component(
  name: string,
  version: string,
  licence: string,
  type: Enums.ComponentType,
): Models.Component {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const [group, base] = name.startsWith('@') ? (name.split('/') as [string, string]) : [undefined, name];
  return new Models.Component(type, base, {
    bomRef: purl,
    ...(group !== undefined && {group}),
    version,
    purl,
    licenses: new Models.LicenseRepository([
      /\s/.test(licence) ? new Models.LicenseExpression(licence) : new Models.SpdxLicense(licence),
    ]),
  });
}
