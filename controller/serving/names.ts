/** The DNS names of a Service, shortest last. */
function serviceNames(service: string, namespace: string): readonly string[] {
  const name = `${service}.${namespace}`;
  return [`${name}.svc`, `${name}.svc.cluster.local`, name, service];
}

/** Names by which the API server and sidecars reach the controller. @param further names of the operator's */
export function controllerNames(fullname: string, namespace: string, further: readonly string[]): readonly string[] {
  return [...serviceNames(`${fullname}-controller`, namespace), ...further];
}

/** Names of the collector: its Service, and each of its pods behind a headless one. */
export function collectorNames(fullname: string, namespace: string): readonly string[] {
  const service = `${fullname}-collector`;
  const pods = [`*.${service}.${namespace}.svc`, `*.${service}-headless.${namespace}.svc`];
  return [...serviceNames(service, namespace), ...pods, ...pods.map((name) => `${name}.cluster.local`)];
}
