/** Owns the last word of the API server on a program that it ran: a Status object. */

export interface ExecStatus {
  readonly exitCode: number | undefined;
  readonly failure: string | undefined;
}

interface Status {
  readonly status?: unknown;
  readonly message?: unknown;
  readonly reason?: unknown;
  readonly details?: {readonly causes?: readonly {readonly reason?: unknown; readonly message?: unknown}[]};
}

export function readExecStatus(json: string): ExecStatus {
  const status = parse(json);
  if (status?.status === 'Success') return {exitCode: 0, failure: undefined};
  const failure =
    typeof status?.message === 'string' ? status.message : 'the server did not tell why it failed';
  const causes = status?.details?.causes;
  const code = Array.isArray(causes)
    ? causes.find((cause) => cause?.reason === 'ExitCode')?.message
    : undefined;
  const exitCode =
    status?.reason === 'NonZeroExitCode' && /^\d+$/.test(String(code)) ? Number(code) : undefined;
  return {exitCode, failure};
}

function parse(json: string): Status | undefined {
  try {
    return JSON.parse(json) ?? undefined;
  } catch {
    return undefined;
  }
}
