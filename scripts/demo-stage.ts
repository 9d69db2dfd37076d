/** Owns the stand-ins that the demo runs on: an API server with a node and no builder yet, BuildKit, and a place to build. */
import {answerQuietly} from '../test/helpers/api/exec-answers.ts';
import {type ApiServer, node, startApiServer} from '../test/helpers/api-server.ts';
import {BuildkitStandIn} from '../test/helpers/buildkit-stand-in.ts';
import {makeSandbox, type Sandbox} from '../test/helpers/sandbox.ts';
import {DIGEST} from '../test/helpers/world.ts';

export interface Stage {
  readonly api: ApiServer;
  readonly sandbox: Sandbox;
  readonly buildkit: BuildkitStandIn;
  /** Has the kubeconfig lead to the cluster under this name. */
  use(cluster: string): void;
  close(): Promise<void>;
}

export async function setStage(): Promise<Stage> {
  const [api, sandbox] = await Promise.all([startApiServer(), makeSandbox()]);
  api.state.nodes.push(node());
  const buildkit = new BuildkitStandIn(DIGEST);
  api.state.exec = (command) =>
    command.join(' ') === 'buildctl dial-stdio' ? {pipe: buildkit.connect()} : answerQuietly(command);
  return {
    api,
    sandbox,
    buildkit,
    use: (cluster) => {
      const names = {context: cluster, cluster, user: cluster};
      sandbox.writeKubeconfig(api.kubeconfig({auth: 'certificate', names, directory: sandbox.root}));
    },
    close: async () => {
      sandbox.remove();
      await api.close();
    },
  };
}
