/** Covers the live view of a build by the plugin: what others print in it does not move the cursor. */
import {expect} from 'chai';
import {openLiveView} from '../../../../../src/image-build/engines/kubectl-build/live-view.ts';
import {makeSurroundings} from '../../../../helpers/surroundings.ts';

describe('the live view of the plugin', () => {
  it('shows the words of a login plugin and the error at the end without obeying them', async () => {
    const texts: string[] = [];
    const show = async (text: string) => void texts.push(text);
    const builtin = {show, terminalSize: () => ({columns: 80, rows: 24}), every: () => () => undefined};
    const view = openLiveView(makeSurroundings(), {builtin, wallClock: () => 0} as never);
    view.observe(
      Buffer.from('Log in at \u001b]0;x\u0007https://me:hunter2@host\nError: \u202eno\u001b[2J\n'),
    );
    await view.end(true);
    const shown = texts.join('');
    expect(shown).to.include('Log in at \\x1b]0;x\\x07https://me:***@host\n');
    expect(shown).to.include('Error: \\u202eno\\x1b[2J\n');
  });
});
