/** Owns reading what kubectl's typed client sends in Kubernetes' protobuf form: reviews, and namespaces. */

type Message = ReadonlyMap<number, Buffer>;

const magic = Buffer.from('k8s\0');

export function isProtobuf(contentType: string): boolean {
  return contentType.startsWith('application/vnd.kubernetes.protobuf');
}

/** As the same object would look in JSON; undefined for any other kind. */
export function readProtobuf(body: Buffer): unknown {
  if (!body.subarray(0, magic.length).equals(magic)) return undefined;
  const envelope = readMessage(body.subarray(magic.length));
  const type = readMessage(envelope.get(1));
  const kind = readText(type, 2);
  const object = readMessage(envelope.get(2));
  const spec = readMessage(object.get(2));
  const head = {kind, apiVersion: readText(type, 1), metadata: {}};
  switch (kind) {
    case 'SelfSubjectAccessReview': {
      const attributes = readMessage(spec.get(1));
      const names = ['namespace', 'verb', 'group', 'version', 'resource', 'subresource', 'name'];
      const fields = names
        .map((name, index) => [name, readText(attributes, index + 1)] as const)
        .filter(([, value]) => value !== '');
      return {...head, spec: {resourceAttributes: Object.fromEntries(fields)}};
    }
    case 'SelfSubjectRulesReview':
      return {...head, spec: {namespace: readText(spec, 1)}};
    case 'Namespace':
      return {...head, metadata: {name: readText(readMessage(object.get(1)), 1)}};
    default:
      return undefined;
  }
}

function readText(message: Message, field: number): string {
  return message.get(field)?.toString('utf8') ?? '';
}

/** Fields with a length, by their number, the last of each; numbers are passed over. */
function readMessage(bytes: Buffer = Buffer.alloc(0)): Message {
  const fields = new Map<number, Buffer>();
  let offset = 0;
  const readNumber = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[offset++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (offset < bytes.length) {
    const tag = readNumber();
    if ((tag & 7) !== 2) {
      readNumber();
      continue;
    }
    const length = readNumber();
    fields.set(tag >> 3, bytes.subarray(offset, offset + length));
    offset += length;
  }
  return fields;
}
