/** Owns the order in which parameters and arguments may stand. */
import type {Position} from './errors.ts';
import type {Argument, Expression, Identifier, Parameter} from './syntax.ts';

type Report = (reason: string, at: Position) => void;

/** Binds the parameters on the way; `bind` tells whether the name was bound before. */
export function checkParameters(
  parameters: readonly Parameter[],
  bind: (name: Identifier) => boolean,
  report: Report,
): void {
  let optional = false;
  let star: Parameter | undefined;
  let starStar: Parameter | undefined;
  let keywordOnly = 0;
  const bindOnce = (name: Identifier | undefined): void => {
    if (name !== undefined && bind(name)) report(`duplicate parameter: ${name.name}`, name.start);
  };
  for (const parameter of parameters) {
    const {kind, start, name} = parameter;
    if (kind === 'plain' || kind === 'optional') {
      const sort = kind === 'plain' ? 'required' : 'optional';
      if (starStar !== undefined) report(`${sort} parameter may not follow **${starStar.name?.name}`, start);
      else if (star !== undefined) keywordOnly++;
      else if (kind === 'plain' && optional) report('required parameter may not follow optional', start);
      bindOnce(name);
      optional ||= kind === 'optional';
    } else if (kind === '*') {
      if (starStar !== undefined) report(`* parameter may not follow **${starStar.name?.name}`, start);
      else if (star !== undefined) report('multiple * parameters not allowed', start);
      else star = parameter;
    } else {
      if (starStar !== undefined) report('multiple ** parameters not allowed', start);
      starStar = parameter;
    }
  }
  if (star !== undefined && star.name === undefined && keywordOnly === 0) {
    report('bare * must be followed by keyword-only parameters', star.start);
  }
  bindOnce(star?.name);
  bindOnce(starStar?.name);
}

export function checkArguments(
  args: readonly Argument[],
  report: Report,
  visit: (value: Expression) => void,
): void {
  let star = false;
  let starStar = false;
  const names = new Set<string>();
  for (const {kind, start, name, value} of args) {
    if (kind === '**') {
      if (starStar) report('multiple **kwargs not allowed', start);
      starStar = true;
    } else if (kind === '*') {
      if (starStar) report('*args may not follow **kwargs', start);
      else if (star) report('multiple *args not allowed', start);
      star = true;
    } else {
      const sort = kind === 'named' ? 'keyword' : 'positional';
      if (starStar) report(`${sort} argument may not follow **kwargs`, start);
      else if (star) report(`${sort} argument may not follow *args`, start);
      else if (kind === 'plain' && names.size > 0) report('positional argument may not follow named', start);
    }
    if (name !== undefined) {
      if (names.has(name)) report(`keyword argument ${name} repeated`, start);
      names.add(name);
    }
    visit(value);
  }
}
