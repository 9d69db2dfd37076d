/** Owns what the delegate prints: the recordings, with the names of the current build. */
import {readFileSync} from 'node:fs';
import {parse} from 'yaml';

const recordings = new URL('../../fixtures/recordings/', import.meta.url);

export function readRecording(name) {
  return parse(readFileSync(new URL(`${name}.yaml`, recordings), 'utf8'));
}

/** The recording that is nearest to a build that succeeds. */
export function chooseRecording({platforms, tags, output, pushing, inputs}) {
  if (output.type === 'local' || output.type === 'tar' || output.type === 'oci') return 'build-output-local';
  if (platforms.length > 1) return 'build-multi-platform';
  if (platforms.length === 1) return 'build-platform';
  if (pushing) return 'push';
  if (inputs.stdin === 'dockerfile') return 'build-dockerfile-stdin';
  if (tags.length === 0) return 'build-no-tag';
  return tags.length > 1 ? 'build-two-tags' : 'build';
}

/**
 * The recordings have two different contents. A digest does not depend on the image's names, so all builds for the
 * node's own platform get the digest of the recording `build`.
 */
const RECORDED_DIGEST = /sha256:a479cd17\w+/g;
const CONTENT_DIGEST = 'sha256:24cda528986e03d36fbe92c7fec9d42e88b9800459a6e72ebec1507173d8f183';

export function nameContent(recorded, {platforms}, digest = CONTENT_DIGEST) {
  return platforms.length > 0
    ? recorded
    : recorded.replaceAll(RECORDED_DIGEST, digest).replaceAll(CONTENT_DIGEST, digest);
}

/** What a successful build prints, and its digest; undefined if the output has none. */
export function adaptSuccess(recorded, {tags, output, pushing, inputs}) {
  const lines = nameDockerfile(recorded, inputs).split('\n');
  const digest =
    /exporting manifest list (sha256:\w+)/.exec(recorded)?.[1] ??
    /exporting manifest (sha256:\w+)/.exec(recorded)?.[1];
  const exporting = /^(#\d+) exporting to /m.exec(recorded)[1];
  if (output.type === 'tar' || output.type === 'oci') {
    return {
      text: lines
        .join('\n')
        .replace('client directory', 'client tarball')
        .replace(/copying files .*/, 'sending tarball 0.1s done'),
      digest: undefined,
    };
  }
  if (output.type === 'local') return {text: lines.join('\n'), digest: undefined};
  const pushedFor = /pushing layers.*/.exec(recorded)?.[0] ?? 'pushing layers 0.1s done';
  const done = lines.findIndex((line) => line.startsWith(`${exporting} DONE`));
  const names = output.name ? output.name.split(',') : tags;
  const exported = [
    ...names.flatMap((tag) => [
      `naming to ${tag} done`,
      ...(output.unpack === 'true' ? [`unpacking to ${tag} done`] : []),
    ]),
    ...(pushing
      ? [
          pushedFor,
          ...names.flatMap((tag) => [
            `pushing manifest for ${tag}@${digest}`,
            `pushing manifest for ${tag}@${digest} 0.0s done`,
          ]),
        ]
      : []),
  ].map((line) => `${exporting} ${line}`);
  const before = lines.slice(0, done).filter((line) => !/^#\d+ (naming to|pushing) /.test(line));
  return {text: [...before, ...exported, ...lines.slice(done)].join('\n'), digest};
}

/** A failed push, with the tag and the secret of the current build. */
export function adaptPushFailure(recorded, {tags, inputs}, secret) {
  const tag = tags[0];
  return nameDockerfile(recorded, inputs)
    .replace(/naming to \S+ done/, `naming to ${tag} done`)
    .replaceAll(/failed to push (\S+): (unexpected|malformed)/g, `failed to push ${tag}: $2`)
    .replace(/unable to find secret "\w+"/, `unable to find secret "${secret}"`);
}

export function nameDockerfile(recorded, {dockerfile}) {
  return recorded.replace(/load build definition from \S+/, () => `load build definition from ${dockerfile}`);
}
