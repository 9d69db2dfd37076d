/** Owns the shape of a parsed Starlark file. */
import type {Position} from './errors.ts';

/** What a name stands for; shared by all uses of the name in a block. */
export interface Binding {
  readonly name: string;
  readonly scope: 'local' | 'global' | 'predeclared' | 'universal' | 'undefined';
  /** The function or file whose frame holds the value. */
  readonly owner: Container | undefined;
}

/** A function or the file: what has a frame of its own when it runs. */
export interface Container {
  readonly label: string;
  /** Variables of enclosing functions that are used inside. */
  readonly free: Set<Binding>;
}

export interface Identifier {
  readonly type: 'identifier';
  readonly start: Position;
  readonly name: string;
  binding?: Binding;
}

export interface Parameter {
  readonly kind: 'plain' | 'optional' | '*' | '**';
  readonly start: Position;
  readonly name?: Identifier;
  readonly fallback?: Expression;
}

export interface Argument {
  readonly kind: 'plain' | 'named' | '*' | '**';
  readonly start: Position;
  readonly name?: string;
  readonly value: Expression;
}

export interface Entry {
  readonly key: Expression;
  readonly value: Expression;
  readonly at: Position;
}

export type Clause =
  | {readonly kind: 'for'; readonly at: Position; readonly target: Expression; readonly source: Expression}
  | {readonly kind: 'if'; readonly condition: Expression};

export interface Code {
  readonly start: Position;
  readonly parameters: readonly Parameter[];
  container?: Container;
}

export interface Lambda extends Code {
  readonly type: 'lambda';
  readonly body: Expression;
}

export interface Def extends Code {
  readonly type: 'def';
  readonly name: Identifier;
  readonly body: readonly Statement[];
}

/** `start` is where the text begins, `at` where an error of the operation is told. */
export type Expression =
  | Identifier
  | Lambda
  | {readonly type: 'literal'; readonly start: Position; readonly value: string | bigint | number}
  | {readonly type: 'list' | 'tuple'; readonly start: Position; readonly items: readonly Expression[]}
  | {readonly type: 'paren'; readonly start: Position; readonly inner: Expression}
  | {readonly type: 'dict'; readonly start: Position; readonly entries: readonly Entry[]}
  | {
      readonly type: 'comprehension';
      readonly start: Position;
      readonly body: Expression | Entry;
      readonly clauses: readonly Clause[];
    }
  | {
      readonly type: 'conditional';
      readonly start: Position;
      readonly condition: Expression;
      readonly yes: Expression;
      readonly no: Expression;
    }
  | {
      readonly type: 'unary';
      readonly start: Position;
      readonly operator: string;
      readonly operand: Expression;
    }
  | {
      readonly type: 'binary';
      readonly start: Position;
      readonly at: Position;
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
  | Attribute
  | Index
  | {
      readonly type: 'slice';
      readonly start: Position;
      readonly at: Position;
      readonly of: Expression;
      readonly bounds: readonly (Expression | undefined)[];
    }
  | {
      readonly type: 'call';
      readonly start: Position;
      readonly at: Position;
      readonly callee: Expression;
      readonly arguments: readonly Argument[];
    };

export interface Attribute {
  readonly type: 'attribute';
  readonly start: Position;
  readonly at: Position;
  readonly of: Expression;
  readonly name: string;
}

export interface Index {
  readonly type: 'index';
  readonly start: Position;
  readonly at: Position;
  readonly of: Expression;
  readonly index: Expression;
}

export interface Load {
  readonly type: 'load';
  readonly start: Position;
  readonly module: string;
  readonly names: readonly {readonly from: string; readonly fromAt: Position; readonly to: Identifier}[];
}

export type Statement =
  | Def
  | Load
  | {readonly type: 'expression'; readonly start: Position; readonly value: Expression}
  | {readonly type: 'branch'; readonly start: Position; readonly word: string}
  | {readonly type: 'return'; readonly start: Position; readonly value: Expression | undefined}
  | {
      readonly type: 'assign';
      readonly start: Position;
      readonly at: Position;
      readonly operator: string;
      readonly target: Expression;
      readonly value: Expression;
    }
  | {
      readonly type: 'if' | 'while';
      readonly start: Position;
      readonly condition: Expression;
      readonly body: readonly Statement[];
      readonly otherwise: readonly Statement[];
    }
  | {
      readonly type: 'for';
      readonly start: Position;
      readonly target: Expression;
      readonly source: Expression;
      readonly body: readonly Statement[];
    };
