/** Owns what expressions are made of, and how errors name them. */
import type {Expression} from './syntax.ts';

export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.type) {
    case 'list':
    case 'tuple':
      return expression.items;
    case 'paren':
      return [expression.inner];
    case 'dict':
      return expression.entries.flatMap(({key, value}) => [key, value]);
    case 'conditional':
      return [expression.condition, expression.yes, expression.no];
    case 'unary':
      return [expression.operand];
    case 'binary':
      return [expression.left, expression.right];
    case 'attribute':
      return [expression.of];
    case 'index':
      return [expression.of, expression.index];
    case 'slice':
      return [expression.of, ...expression.bounds.filter((bound) => bound !== undefined)];
    default:
      return [];
  }
}

export function nameExpression(expression: Expression): string {
  if (['comprehension', 'literal'].includes(expression.type)) return expression.type;
  return `${{conditional: 'cond'}[expression.type as string] ?? expression.type}expr`;
}
