/** Owns building a directory on a real BuildKit with our client alone, below the command line. */
import {randomBytes} from 'node:crypto';
import type {Duplex} from 'node:stream';
import {BuildkitClient} from '../../src/buildkit/client.ts';
import {Steps} from '../../src/buildkit/progress/steps.ts';
import {syncFiles} from '../../src/buildkit/session/file-sync.ts';
import {type SyncedDirectory, syncDirectory} from '../../src/context/directory.ts';
import {contextDisk} from '../../src/system/context-disk.ts';
import type {Route} from '../../src/wire/grpc/server.ts';
import type {Dockerd} from './dockerd.ts';

export interface DirectoryBuild {
  readonly directory: string;
  readonly sharedKey: string;
  /** Of the image; undefined where `exporter` says what comes of the build. */
  readonly name?: string;
  readonly exporter?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly directories?: ReadonlyMap<string, SyncedDirectory>;
  readonly routes?: readonly Route[];
  readonly signal?: AbortSignal;
  /** A connection of the test's own. */
  readonly stream?: Duplex;
  /** Filled as the build goes on, for one that fails. */
  readonly steps?: Steps;
  readonly onStatus?: () => void;
}

export interface DirectoryBuilt {
  readonly digest: string | undefined;
  readonly steps: Steps;
  readonly sent: number;
}

export async function buildDirectory(daemon: Dockerd, build: DirectoryBuild): Promise<DirectoryBuilt> {
  const {directory, sharedKey, name, attributes = {}, routes = [], steps = new Steps(), onStatus} = build;
  const {signal = new AbortController().signal} = build;
  const synced = syncDirectory(directory, contextDisk);
  const directories = build.directories ?? new Map(['context', 'dockerfile'].map((id) => [id, synced]));
  let sent = 0;
  const count = (bytes: number) => {
    sent += bytes;
  };
  const client = new BuildkitClient(build.stream ?? (await daemon.connect()), {
    sharedKey,
    routes: [syncFiles(directories, count), ...routes],
    random: randomBytes,
  });
  try {
    const response = await client.solve(
      {
        attributes: new Map([
          ['filename', 'Dockerfile'],
          ['force-network-mode', 'none'],
          ...Object.entries(attributes),
        ]),
        exporters: [
          {type: build.exporter ?? 'moby', attributes: new Map(name === undefined ? [] : [['name', name]])},
        ],
        cacheExports: [],
        cacheImports: [],
        entitlements: [],
      },
      {
        onStatus: (status) => {
          steps.apply(status);
          onStatus?.();
        },
        signal,
      },
    );
    return {digest: response.get('containerimage.digest'), steps, sent};
  } finally {
    client.close();
  }
}
