/** Owns containerd's services but for content, as messages and methods (containerd/containerd, api/services). */
import {methodsOf} from '../wire/grpc/messages.ts';
import {
  bool,
  field,
  int32,
  int64,
  type MessageOf,
  map,
  message,
  optional,
  repeated,
  string,
} from '../wire/protobuf/message.ts';
import {Timestamp} from '../wire/protobuf/timestamp.ts';

/** Of a manifest or an index. */
const Descriptor = message({
  mediaType: field(1, string),
  digest: field(2, string),
  size: field(3, int64),
  annotations: map(5, string),
});
export type Descriptor = MessageOf<typeof Descriptor>;

/** A name in containerd that points to a digest. */
const Image = message({
  name: field(1, string),
  labels: map(2, string),
  target: optional(3, Descriptor),
  createdAt: optional(7, Timestamp),
});
export type Image = MessageOf<typeof Image>;

const FieldMask = message({paths: repeated(1, string)});
const ImageAnswer = message({image: optional(1, Image)});

const Lease = message({id: field(1, string), createdAt: optional(2, Timestamp), labels: map(3, string)});
const Resource = message({id: field(1, string), type: field(2, string)});

const Mount = message({
  type: field(1, string),
  source: field(2, string),
  target: field(3, string),
  options: repeated(4, string),
});
/** Of a snapshot: its name, or the key that it has until it is committed. */
const Snapshot = message({name: field(1, string), parent: field(2, string), kind: field(3, int32)});
const Mounts = message({mounts: repeated(1, Mount)});
const SnapshotKey = message({snapshotter: field(1, string), key: field(2, string)});
const Empty = message({});

const image = methodsOf('containerd.services.images.v1.Images');
const lease = methodsOf('containerd.services.leases.v1.Leases');
const snapshot = methodsOf('containerd.services.snapshots.v1.Snapshots');
const diff = methodsOf('containerd.services.diff.v1.Diff');

export const Images = {
  get: image('Get', message({name: field(1, string)}), ImageAnswer),
  list: image('List', message({filters: repeated(1, string)}), message({images: repeated(1, Image)})),
  create: image('Create', message({image: optional(1, Image)}), ImageAnswer),
  update: image('Update', message({image: optional(1, Image), mask: optional(2, FieldMask)}), ImageAnswer),
  delete: image('Delete', message({name: field(1, string), sync: field(2, bool)}), Empty),
} as const;

export const Leases = {
  create: lease(
    'Create',
    message({id: field(1, string), labels: map(3, string)}),
    message({lease: optional(1, Lease)}),
  ),
  delete: lease('Delete', message({id: field(1, string), sync: field(2, bool)}), Empty),
  addResource: lease('AddResource', message({id: field(1, string), resource: optional(2, Resource)}), Empty),
} as const;

export const Snapshots = {
  stat: snapshot('Stat', SnapshotKey, message({info: optional(1, Snapshot)})),
  prepare: snapshot(
    'Prepare',
    message({
      snapshotter: field(1, string),
      key: field(2, string),
      parent: field(3, string),
      labels: map(4, string),
    }),
    Mounts,
  ),
  commit: snapshot(
    'Commit',
    message({
      snapshotter: field(1, string),
      name: field(2, string),
      key: field(3, string),
      labels: map(4, string),
    }),
    Empty,
  ),
  remove: snapshot('Remove', SnapshotKey, Empty),
} as const;

export const Diff = {
  apply: diff(
    'Apply',
    message({layer: optional(1, Descriptor), mounts: repeated(2, Mount)}),
    message({applied: optional(1, Descriptor)}),
  ),
} as const;
