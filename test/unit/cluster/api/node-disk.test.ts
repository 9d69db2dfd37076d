/** Covers how full a node's disk is, by what its kubelet reports of it. */
import {expect} from 'chai';
import {readNodeDisks} from '../../../../src/cluster/api/node-disk.ts';
import type {Cluster} from '../../../../src/cluster/ports.ts';

const FS = {capacityBytes: 100, availableBytes: 25};

describe('readNodeDisks', () => {
  for (const [what, node, used] of [
    ['the file system of images', {fs: {}, runtime: {imageFs: FS}}, 0.75],
    ['the node, if images have none of their own', {fs: FS}, 0.75],
    ['nothing without the free space', {fs: {capacityBytes: 100}}, undefined],
    ['nothing without the size', {fs: {availableBytes: 25}}, undefined],
    ['nothing from what is no summary', null, undefined],
  ] as const) {
    it(`takes ${what}`, async () => {
      const get: Cluster['get'] = async () => ({kind: 'found', value: {node}});
      const disks = await readNodeDisks(['a'], {get} as Cluster);
      expect(disks).to.deep.equal(used === undefined ? [] : [{node: 'a', used}]);
    });
  }
});
