/** Owns what the API server adds to a Deployment that is written, and what it refuses. */
import {isDeepStrictEqual} from 'node:util';
import {writeStatus} from './api-representations.ts';
import type {ApiObject} from './api-samples.ts';

interface Spec {
  readonly replicas?: number;
  readonly selector: {readonly matchLabels?: Readonly<Record<string, string>>};
  readonly strategy?: {readonly type?: string; readonly rollingUpdate?: object};
  readonly template: {
    readonly metadata?: {readonly labels?: Readonly<Record<string, string>>};
    readonly spec: {readonly containers: readonly Record<string, unknown>[]};
  };
}

/** The defaults that show up when it is read again. */
export function withDefaults(deployment: ApiObject): ApiObject {
  const spec = deployment.spec as Spec;
  const template = spec.template;
  const strategy = spec.strategy?.type ? spec.strategy : {type: 'RollingUpdate', ...spec.strategy};
  return {
    ...deployment,
    spec: {
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      ...spec,
      strategy:
        strategy.type === 'RollingUpdate'
          ? {...strategy, rollingUpdate: {maxUnavailable: '25%', maxSurge: '25%', ...strategy.rollingUpdate}}
          : strategy,
      template: {
        ...template,
        spec: {
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 30,
          dnsPolicy: 'ClusterFirst',
          securityContext: {},
          schedulerName: 'default-scheduler',
          ...template.spec,
          containers: template.spec.containers.map((container) => ({
            resources: {},
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
            imagePullPolicy: 'IfNotPresent',
            ...container,
          })),
        },
      },
    },
  };
}

/** An answer of 422 with all that is wrong with it. */
export function refuseInvalid(live: ApiObject | undefined, next: ApiObject): unknown {
  const {name} = next.metadata;
  const spec = next.spec as Partial<Spec> | undefined;
  const before = live?.spec as Spec | undefined;
  const causes: {reason: string; message: string; field: string}[] = [];
  const add = (reason: string, field: string, message: string) => causes.push({reason, message, field});
  const labels = spec?.template?.metadata?.labels ?? {};
  if (spec?.selector === undefined) add('FieldValueRequired', 'spec.selector', 'Required value');
  else if (
    Object.entries(spec.selector.matchLabels ?? {}).some(([label, value]) => labels[label] !== value)
  ) {
    const message = `Invalid value: ${JSON.stringify(labels)}: \`selector\` does not match template \`labels\``;
    add('FieldValueInvalid', 'spec.template.metadata.labels', message);
  }
  if (!spec?.template?.spec?.containers?.length) {
    add('FieldValueRequired', 'spec.template.spec.containers', 'Required value');
  }
  if (spec?.strategy?.type === 'Recreate' && spec.strategy.rollingUpdate !== undefined) {
    const message = "Forbidden: may not be specified when strategy `type` is 'Recreate'";
    add('FieldValueForbidden', 'spec.strategy.rollingUpdate', message);
  }
  if (
    before !== undefined &&
    spec?.selector !== undefined &&
    !isDeepStrictEqual(before.selector, spec.selector)
  ) {
    const message = `Invalid value: ${JSON.stringify(spec.selector)}: field is immutable`;
    add('FieldValueInvalid', 'spec.selector', message);
  }
  if (causes.length === 0) return undefined;
  const texts = causes.map(({field, message}) => `${field}: ${message}`);
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const details = {name, group: 'apps', kind: 'Deployment', causes};
  return writeStatus(422, 'Invalid', `Deployment.apps "${name}" is invalid: ${text}`, details);
}
