/** Owns the host names under which public clouds serve the API of their clusters. */

interface CloudHost {
  readonly product: 'eks' | 'aks' | 'gke' | 'cloud';
  /** The end of the name, after a dot. A star stands for one label. */
  readonly ends: readonly string[];
}

export const CLOUD_HOSTS: readonly CloudHost[] = [
  // The second is the form for IPv6 clusters.
  {product: 'eks', ends: ['eks.amazonaws.com', 'eks.amazonaws.com.cn']},
  {product: 'eks', ends: ['eks-cluster.*.api.aws', 'eks-cluster.*.api.amazonwebservices.com.cn']},
  // Private clusters have it too: *.privatelink.<region>.azmk8s.io.
  {product: 'aks', ends: ['azmk8s.io', 'aks.containerservice.azure.us', 'azk8s.cn']},
  // The DNS endpoint; the usual one is an IP address, which says nothing.
  {product: 'gke', ends: ['gke.goog']},
  // Load balancers and machines: clusters of kOps, kubeadm and others. ROSA, OpenShift Dedicated, ARO.
  {
    product: 'cloud',
    ends: ['amazonaws.com', 'amazonaws.com.cn', 'api.aws', 'openshiftapps.com', 'aroapp.io'],
  },
  {product: 'cloud', ends: ['cloudapp.azure.com', 'cloudapp.net', 'googleapis.com', 'googleusercontent.com']},
  // DigitalOcean, Akamai (Linode), Civo, Vultr, Exoscale, Scaleway, OVHcloud, IONOS, STACKIT.
  {product: 'cloud', ends: ['ondigitalocean.com', 'linodelke.net', 'linodeusercontent.com', 'civo.com']},
  {
    product: 'cloud',
    ends: ['vultr-k8s.com', 'exo.io', 'scw.cloud', 'k8s.ovh.net', 'k8s.ovh.ca', 'k8s.ovh.us'],
  },
  {product: 'cloud', ends: ['profitbricks.com', 'ionos.com', 'onstackit.cloud', 'rackspace.com']},
  // IBM Cloud, Oracle, Alibaba, Tencent, Huawei.
  {product: 'cloud', ends: ['cloud.ibm.com', 'appdomain.cloud', 'oraclecloud.com', 'oci.customer-oci.com']},
  {product: 'cloud', ends: ['aliyuncs.com', 'tencent-cloud.com', 'tencentcs.com', 'myhuaweicloud.com']},
];

/** `host` is in lower case. */
export function findCloud(host: string): CloudHost['product'] | undefined {
  const labels = host.replace(/\.$/, '').split('.');
  return CLOUD_HOSTS.find(({ends}) => ends.some((end) => endsWith(labels, end.split('.'))))?.product;
}

function endsWith(labels: readonly string[], end: readonly string[]): boolean {
  const last = labels.slice(-end.length);
  return labels.length > end.length && end.every((label, at) => label === '*' || label === last[at]);
}
