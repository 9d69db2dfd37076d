/** Owns reading the conditions in the status of a Kubernetes object. */
import {asList, asObject, asText, asTime} from './json-values.ts';

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  /** Epoch milliseconds. */
  readonly updatedAt?: number;
}

export function readConditions(body: unknown): readonly Condition[] {
  return asList(body).map((condition) => {
    const {type, status, reason, message, lastUpdateTime, lastTransitionTime} = asObject(condition);
    return {
      type: asText(type),
      status: asText(status),
      reason: asText(reason),
      message: asText(message),
      updatedAt: asTime(lastUpdateTime) ?? asTime(lastTransitionTime),
    };
  });
}

export function findCondition(
  conditions: readonly Condition[],
  wanted: string,
  value: 'True' | 'False',
): Condition | undefined {
  return conditions.find(({type, status}) => type === wanted && status === value);
}
