type Fields = Record<string, unknown>;

/**
 * Turns a generated pod into one that an API server can take: names that are there once, images, mounts of volumes that exist.
 * What matters to us stays as it was.
 */
export function makePossible(pod: Readonly<Fields>): Fields {
  const metadata = pod['metadata'] as Fields;
  const spec = pod['spec'] as Fields | null | undefined;
  const containers = listOf(spec?.['containers']);
  const named = new Set<string>();
  const own = (container: Fields): Fields => possibleContainer(container, named);
  const initContainers = listOf(spec?.['initContainers']).map(own);
  const all = (containers.length > 0 ? containers : [{ name: 'app' }]).map(own);
  const mounted = [...initContainers, ...all]
    .flatMap(({ volumeMounts }) => listOf(volumeMounts))
    .map(({ name }) => name);
  const names = new Set([...listOf(spec?.['volumes']).map(({ name }) => name), ...mounted]);
  const volumes = [...names].map((name) => ({ name, emptyDir: {} }));
  return { ...pod, metadata, spec: { ...spec, containers: all, initContainers, volumes } };
}

function possibleContainer(container: Fields, named: Set<string>): Fields {
  let name = String(container['name']);
  while (named.has(name)) name = `${name}-x`;
  named.add(name);
  const paths = new Set<unknown>();
  const volumeMounts = listOf(container['volumeMounts']).filter(({ mountPath }) => {
    const isNew = !paths.has(mountPath);
    paths.add(mountPath);
    return isNew;
  });
  return { ...container, name, image: container['image'] ?? 'a:1', volumeMounts };
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? (value as readonly Fields[]) : [];
}
