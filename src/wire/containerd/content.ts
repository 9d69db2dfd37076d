/** Owns containerd's content service as messages and methods: nodes serve it to us, and we serve it to BuildKit. */
import {methodsOf} from '../grpc/messages.ts';
import {bytes, field, int32, int64, map, message, optional, repeated, string} from '../protobuf/message.ts';
import {Timestamp} from '../protobuf/timestamp.ts';

const Info = message({
  digest: field(1, string),
  size: field(2, int64),
  created: optional(3, Timestamp),
  updated: optional(4, Timestamp),
  labels: map(5, string),
});
const Status = message({
  started: optional(1, Timestamp),
  updated: optional(2, Timestamp),
  ref: field(3, string),
  offset: field(4, int64),
  total: field(5, int64),
  expected: field(6, string),
});
const Ref = message({ref: field(1, string)});
const FieldMask = message({paths: repeated(1, string)});
const InfoAnswer = message({info: optional(1, Info)});

export const WriteAction = {STAT: 0, WRITE: 1, COMMIT: 2} as const;

const method = methodsOf('containerd.services.content.v1.Content');

export const Content = {
  info: method('Info', message({digest: field(1, string)}), InfoAnswer),
  update: method('Update', message({info: optional(1, Info), mask: optional(2, FieldMask)}), InfoAnswer),
  list: method('List', message({filters: repeated(1, string)}), message({infos: repeated(1, Info)})),
  read: method(
    'Read',
    message({digest: field(1, string), offset: field(2, int64), size: field(3, int64)}),
    message({offset: field(1, int64), data: field(2, bytes)}),
  ),
  status: method('Status', Ref, message({status: optional(1, Status)})),
  write: method(
    'Write',
    message({
      action: field(1, int32),
      ref: field(2, string),
      total: field(3, int64),
      expected: field(4, string),
      offset: field(5, int64),
      data: field(6, bytes),
      labels: map(7, string),
    }),
    message({
      action: field(1, int32),
      started: optional(2, Timestamp),
      updated: optional(3, Timestamp),
      offset: field(4, int64),
      total: field(5, int64),
      digest: field(6, string),
    }),
  ),
  abort: method('Abort', Ref, message({})),
} as const;
