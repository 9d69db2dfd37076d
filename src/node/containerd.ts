/** Owns containerd's image service as messages and methods (containerd/containerd, api/services). */
import {methodsOf} from '../wire/grpc/messages.ts';
import {
  bool,
  field,
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

const image = methodsOf('containerd.services.images.v1.Images');

export const Images = {
  get: image('Get', message({name: field(1, string)}), ImageAnswer),
  list: image('List', message({filters: repeated(1, string)}), message({images: repeated(1, Image)})),
  create: image('Create', message({image: optional(1, Image)}), ImageAnswer),
  update: image('Update', message({image: optional(1, Image), mask: optional(2, FieldMask)}), ImageAnswer),
  delete: image('Delete', message({name: field(1, string), sync: field(2, bool)}), message({})),
} as const;
