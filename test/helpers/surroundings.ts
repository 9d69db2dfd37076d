/** Owns what surrounds a build where a test has nothing else to say. */
import type {Surroundings} from '../../src/surroundings.ts';

export function makeSurroundings(others: Partial<Surroundings> = {}): Surroundings {
  return {
    cwd: '/project',
    platform: 'linux',
    terminal: false,
    resultTerminal: () => false,
    toolVersion: '1',
    self: {program: '/bin/tiltbuild', args: []},
    ...others,
    env: {HOME: '/home/me', ...others.env},
  };
}
