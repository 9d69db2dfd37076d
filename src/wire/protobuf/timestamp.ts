/** Owns the message google.protobuf.Timestamp. */
import {field, int32, int64, type MessageOf, message} from './message.ts';

export const Timestamp = message({seconds: field(1, int64), nanos: field(2, int32)});
export type Timestamp = MessageOf<typeof Timestamp>;
