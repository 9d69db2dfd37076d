/** Covers the rule by which a builder's mounts would double on its node. */
import {expect} from 'chai';
import type {BuilderManifest} from '../../../../src/builder/manifest/manifest.ts';
import {nestedMounts} from '../../../../src/builder/manifest/mounts.ts';
import {readApiRecording} from '../../../helpers/api-samples.ts';

describe('nestedMounts', () => {
  const nested = (...volumeMounts: {mountPath: string; mountPropagation?: string}[]) =>
    nestedMounts({containers: [{volumeMounts: volumeMounts.map((mount) => ({name: 'v', ...mount}))}]});
  const run = {mountPath: '/run/containerd', mountPropagation: 'Bidirectional'};

  it("finds the socket in the plugin's own builder", () => {
    const recorded = readApiRecording('builder-by-plugin').body as BuilderManifest['deployment'];
    expect(nestedMounts(recorded.spec.template.spec)).to.deep.equal([
      '/run/containerd/containerd.sock inside /run/containerd',
    ]);
  });

  it('knows that /var/run is /run, and takes no heed of slashes at the end', () => {
    expect(nested(run, {mountPath: '/var/run/containerd/containerd.sock'})).to.have.length(1);
    expect(nested({...run, mountPath: '/run/containerd/'}, {mountPath: '/run/containerd/x/'})).to.have.length(
      1,
    );
    expect(nested(run, {mountPath: '/var/run/containerd'})).to.have.length(1);
    expect(nested({...run, mountPath: '/'}, {mountPath: '/x'})).to.have.length(1);
  });

  it('allows what is beside it, or inside one that is not bidirectional', () => {
    expect(nested(run, {mountPath: '/run/containerd-other'}, {mountPath: '/run'})).to.deep.equal([]);
    expect(
      nested({mountPath: '/run', mountPropagation: 'HostToContainer'}, {mountPath: '/run/x'}),
    ).to.deep.equal([]);
  });

  it('looks into every container, each by itself', () => {
    const inner = {name: 'i', mountPath: '/run/containerd/x'};
    const outer = {name: 'o', ...run};
    expect(nestedMounts({initContainers: [{volumeMounts: [outer, inner]}]})).to.have.length(1);
    expect(nestedMounts({containers: [{volumeMounts: [outer]}, {volumeMounts: [inner]}, {}]})).to.deep.equal(
      [],
    );
    expect(nestedMounts({})).to.deep.equal([]);
  });
});
