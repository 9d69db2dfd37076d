/** Owns adding registries to the configuration of a builder that works, which restarts it. */
import {asObject, asTextFields, type Json} from '../../cluster/api/json-values.ts';
import {deploymentPath} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {TiltbuildError} from '../../errors.ts';
import {configMapOf} from '../manifest/manifest.ts';
import {readKeptSettings} from '../model/kept-settings.ts';
import {CONFIG_ANNOTATION, PLUGIN_ANNOTATION, VERSION_ANNOTATION} from '../model/marks.ts';
import {type BuilderDeployment, readBuilderDeployment} from '../model/objects.ts';
import {APPLY, editable, REPLACE, send} from './create-builder.ts';

const ATTEMPTS = 5;

/**
 * Changes nothing else of it; gives whether it changed its buildkitd.toml. Builds that do the same at the same moment
 * find it done.
 */
export async function configureBuilder(
  old: BuilderDeployment,
  change: (toml: string) => string,
  cluster: Cluster,
): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const answer = await cluster.get(deploymentPath(old));
    if (answer.kind !== 'found') break;
    const {toml} = readBuilderDeployment(answer.value);
    const changed = toml === undefined ? undefined : change(toml);
    if (changed === undefined || changed === toml) return false;
    const object = asObject(answer.value);
    if ((await send(REPLACE, withToml(object, changed), cluster)) !== 'done') continue;
    await send(APPLY, configMapOf(changed, describe(old, object)), cluster);
    return true;
  }
  throw new TiltbuildError(
    'builder-failed',
    `The builder "${old.name}" changes too often to be configured.`,
    {
      remedy: ['Build again.'],
    },
  );
}

/** As builders are created: without what the API server or others add. */
function describe({name, namespace, settings}: BuilderDeployment, {metadata}: Json) {
  const {labels, annotations} = asObject(metadata);
  const kept = Object.entries(asTextFields(annotations)).filter(
    ([key]) => key === PLUGIN_ANNOTATION || key === VERSION_ANNOTATION,
  );
  return {
    name,
    namespace,
    labels: asTextFields(labels),
    annotations: {...readKeptSettings(settings).annotations, ...Object.fromEntries(kept)},
  };
}

function withToml(given: Json, toml: string): Json {
  const object = editable(given);
  const spec = asObject(object.spec);
  const template = asObject(spec.template);
  const podMetadata = asObject(template.metadata);
  const annotations = {...asTextFields(podMetadata.annotations), [CONFIG_ANNOTATION]: toml};
  return {...object, spec: {...spec, template: {...template, metadata: {...podMetadata, annotations}}}};
}
