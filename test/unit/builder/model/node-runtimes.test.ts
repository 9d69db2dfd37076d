/** Covers what is read of the nodes for a builder, against what a real API server answered. */
import {expect} from 'chai';
import {readNodeRuntimes} from '../../../../src/builder/model/node-runtimes.ts';
import {readApiRecording} from '../../../helpers/api-samples.ts';

describe('readNodeRuntimes', () => {
  it('reads one of kind', () => {
    const [node] = readNodeRuntimes(readApiRecording('nodes-kind').body);
    const {labels, ...facts} = node ?? {};
    expect(labels).to.include({'kubernetes.io/os': 'linux'});
    expect(facts).to.deep.equal({
      name: 'kind-control-plane',
      containerRuntimeVersion: 'containerd://2.1.9+unknown',
      kubeletVersion: 'v1.36.2',
      architecture: 'amd64',
      ready: true,
      unschedulable: false,
      taints: [],
    });
  });

  it('reads taints and cordons, of items as well as of a list', () => {
    const taint = {key: 'a', effect: 'NoSchedule', timeAdded: '2026-11-24T02:06:30Z'};
    const item = {metadata: {name: 'n'}, spec: {unschedulable: true, taints: [taint]}};
    const expected = {unschedulable: true, taints: [{key: 'a', value: '', effect: 'NoSchedule'}]};
    expect(readNodeRuntimes([item])[0]).to.deep.include(expected);
    expect(readNodeRuntimes({items: [item]})[0]).to.deep.include(expected);
  });
});
