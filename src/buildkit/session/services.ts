/** Owns the small things that BuildKit asks for in a session: secrets, logins, and what stands on standard input. */
import {BytesMessage} from '../../wire/grpc/byte-stream.ts';
import {type Route, streaming, unary} from '../../wire/grpc/server.ts';
import {GrpcCode, GrpcError} from '../../wire/grpc/status.ts';
import {bytes, field, message, string} from '../../wire/protobuf/message.ts';

/** `find` gives a secret by its id; undefined where there is none. */
export function serveSecrets(find: (id: string) => Promise<Uint8Array | undefined>): Route {
  return unary(
    {
      path: '/moby.buildkit.secrets.v1.Secrets/GetSecret',
      request: message({id: field(1, string)}),
      response: message({data: field(1, bytes)}),
    },
    async ({id}) => {
      const data = await find(id);
      if (data === undefined) throw new GrpcError(GrpcCode.NOT_FOUND, `secret ${id}: not found`);
      return {data};
    },
  );
}

export interface Login {
  readonly username: string;
  readonly secret: string;
}

/** `find` gives the login for a registry's host; undefined where there is none, which is no error. */
export function serveLogins(find: (host: string) => Promise<Login | undefined>): Route {
  return unary(
    {
      path: '/moby.filesync.v1.Auth/Credentials',
      request: message({host: field(1, string)}),
      response: message({username: field(1, string), secret: field(2, string)}),
    },
    async ({host}) => (await find(host)) ?? {},
  );
}

/** The address under which BuildKit asks for an upload, once. */
export function uploadUrl(id: string): string {
  return `http://buildkit-session/${id}`;
}

export function serveUploads(find: (id: string) => AsyncIterable<Uint8Array> | undefined): Route {
  return streaming(
    {path: '/moby.upload.v1.Upload/Pull', request: BytesMessage, response: BytesMessage},
    async function* (_requests, {metadata}) {
      const path = metadata.find(([name]) => name === 'urlpath')?.[1] ?? '';
      const upload = find(path.replace(/^\//, ''));
      if (upload === undefined) throw new GrpcError(GrpcCode.NOT_FOUND, `no upload ${path}`);
      for await (const data of upload) yield {data};
    },
  );
}
