/** Owns BuildKit's control service as messages and methods (moby/buildkit, api/services/control/control.proto). */
import {BytesMessage} from '../wire/grpc/byte-stream.ts';
import {methodsOf} from '../wire/grpc/messages.ts';
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
import {Timestamp} from '../wire/protobuf/timestamp.ts';

const Position = message({line: field(1, int32), character: field(2, int32)});
const Range = message({start: optional(1, Position), end: optional(2, Position)});
const SourceInfo = message({filename: field(1, string), data: field(2, bytes), language: field(4, string)});

const CacheEntry = message({type: field(1, string), attributes: map(2, string)});
const Exporter = message({type: field(1, string), attributes: map(2, string)});

const SolveRequest = message({
  ref: field(1, string),
  // BuildKit before 0.14 reads these two, and the list after them not at all.
  exporterType: field(3, string),
  exporterAttributes: map(4, string),
  session: field(5, string),
  frontend: field(6, string),
  frontendAttributes: map(7, string),
  cache: optional(8, message({exports: repeated(4, CacheEntry), imports: repeated(5, CacheEntry)})),
  entitlements: repeated(9, string),
  exporters: repeated(13, Exporter),
});
const SolveResponse = message({exporterResponse: map(1, string)});

const Vertex = message({
  digest: field(1, string),
  inputs: repeated(2, string),
  name: field(3, string),
  cached: field(4, bool),
  started: optional(5, Timestamp),
  completed: optional(6, Timestamp),
  error: field(7, string),
});
const VertexStatus = message({
  id: field(1, string),
  vertex: field(2, string),
  name: field(3, string),
  current: field(4, int64),
  total: field(5, int64),
  timestamp: optional(6, Timestamp),
  started: optional(7, Timestamp),
  completed: optional(8, Timestamp),
});
const VertexLog = message({
  vertex: field(1, string),
  timestamp: optional(2, Timestamp),
  /** 1 for standard output, 2 for standard error. */
  stream: field(3, int64),
  data: field(4, bytes),
});
const VertexWarning = message({
  vertex: field(1, string),
  level: field(2, int64),
  short: field(3, bytes),
  detail: repeated(4, bytes),
  url: field(5, string),
  info: optional(6, SourceInfo),
  ranges: repeated(7, Range),
});
const HistoryRequest = message({activeOnly: field(1, bool), earlyExit: field(3, bool)});
/** What is told of a build does not matter here. */
const HistoryEvent = message({type: field(1, int32)});

const StatusRequest = message({ref: field(1, string)});
const StatusResponse = message({
  vertexes: repeated(1, Vertex),
  statuses: repeated(2, VertexStatus),
  logs: repeated(3, VertexLog),
  warnings: repeated(4, VertexWarning),
});
export type StatusResponse = MessageOf<typeof StatusResponse>;
export type Vertex = MessageOf<typeof Vertex>;
export type VertexStatus = MessageOf<typeof VertexStatus>;
export type VertexLog = MessageOf<typeof VertexLog>;
export type VertexWarning = MessageOf<typeof VertexWarning>;

const method = methodsOf('moby.buildkit.v1.Control');

export const Control = {
  solve: method('Solve', SolveRequest, SolveResponse),
  status: method('Status', StatusRequest, StatusResponse),
  history: method('ListenBuildHistory', HistoryRequest, HistoryEvent),
  session: method('Session', BytesMessage, BytesMessage),
} as const;
