/** Owns containerd's services for images and content as messages and methods (containerd/containerd, api/services). */
import type {Method} from '../wire/grpc/messages.ts';
import {
  bool,
  bytes,
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

const Timestamp = message({seconds: field(1, int64), nanos: field(2, int32)});
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

const Info = message({digest: field(1, string), size: field(2, int64)});

export const Images = {
  get: method('images.v1.Images/Get', message({name: field(1, string)}), ImageAnswer),
  list: method(
    'images.v1.Images/List',
    message({filters: repeated(1, string)}),
    message({images: repeated(1, Image)}),
  ),
  create: method('images.v1.Images/Create', message({image: optional(1, Image)}), ImageAnswer),
  update: method(
    'images.v1.Images/Update',
    message({image: optional(1, Image), mask: optional(2, FieldMask)}),
    ImageAnswer,
  ),
  delete: method(
    'images.v1.Images/Delete',
    message({name: field(1, string), sync: field(2, bool)}),
    message({}),
  ),
} as const;

export const Content = {
  list: method('content.v1.Content/List', message({}), message({infos: repeated(1, Info)})),
  read: method(
    'content.v1.Content/Read',
    message({digest: field(1, string)}),
    message({data: field(2, bytes)}),
  ),
} as const;

function method<Q, QIn, R, RIn>(
  name: string,
  request: Method<Q, QIn, R, RIn>['request'],
  response: Method<Q, QIn, R, RIn>['response'],
): Method<Q, QIn, R, RIn> {
  return {path: `/containerd.services.${name}`, request, response};
}
